import json
from pathlib import Path
from typing import Any

from benchmarks.architectures import NETWORKS, RUNGS, SHIPPED, as_markdown, frontier, rows_of
from tracker.layouts import IBUG_68

FIRST = RUNGS[0]


def row(network: str, ms: float, nme: float | None) -> dict[str, Any]:
    errors = {} if nme is None else {str(FIRST): nme}
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
    logged = {"images": float(FIRST), "nme_percent": 6.5}
    (folder / "log.jsonl").write_text(json.dumps(logged) + "\n")
    rows = rows_of(tmp_path, IBUG_68)
    found = {row["network"]: row for row in rows}
    assert list(found) == list(NETWORKS)
    assert found["2 stacks, width 64"]["nme_percent"] == {str(FIRST): 6.5}
    assert found[SHIPPED]["nme_percent"] == {}
    assert found[SHIPPED]["map"] == 32
    assert found["map 64"]["map"] == 64
    assert found["separable"]["mega_mac"] < found[SHIPPED]["mega_mac"] / 2
    result = {
        "rows": [row | {"ms": 1.0} for row in rows], "machine": "this one", "trained_on": "faces"
    }  # fmt: skip
    assert "| **6.50** |" in as_markdown(result)
