import json
from pathlib import Path
from typing import Any

from benchmarks.architectures import NETWORKS, SHIPPED, TRIALS, as_markdown, frontier, rows_of
from tracker.layouts import IBUG_68

FIRST, _, AGAIN = TRIALS


def row(network: str, ms: float, nme: float | None) -> dict[str, Any]:
    errors = {} if nme is None else {FIRST: nme}
    return {"network": network, "ms": ms, "nme_percent": errors}


def test_the_curve_holds_what_no_other_beats_in_both() -> None:
    rows = [
        row("fast", 5, 7.0),
        row("good", 15, 5.0),
        row("beaten", 16, 5.5),
        row("slow and as good", 20, 5.0),
        row("not there yet", 1, None),
    ]
    assert frontier(rows, FIRST) == {"fast", "good"}


def test_every_network_is_described_and_its_log_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "2 stacks-width 64"
    folder.mkdir()
    again = tmp_path / "2 stacks-width 64-seed-1"
    again.mkdir()
    for place, images, error in ((folder, 3000, 6.5), (folder, 4000, 6.4), (again, 9000, 5.25)):
        with (place / "log.jsonl").open("a") as log:
            log.write(json.dumps({"images": float(images), "nme_percent": error}) + "\n")
    known = {"2 stacks, width 64": {FIRST: 7.0}, "depth 2": {FIRST: 6.75}}
    rows = rows_of(tmp_path, IBUG_68, known)
    found = {row["network"]: row for row in rows}
    assert list(found) == list(NETWORKS)
    assert found["2 stacks, width 64"]["nme_percent"] == {FIRST: 6.5, AGAIN: 5.25}
    assert found["depth 2"]["nme_percent"] == {FIRST: 6.75}
    assert found[SHIPPED]["nme_percent"] == {}
    assert found[SHIPPED]["map"] == 32
    assert found["map 64"]["map"] == 64
    assert found["separable"]["mega_mac"] < found["stem 32"]["mega_mac"] / 2
    result = {
        "rows": [row | {"ms": 1.0} for row in rows], "machine": "this one", "trained_on": "faces"
    }  # fmt: skip
    assert "| **6.50** |  | **5.25** |" in as_markdown(result)
