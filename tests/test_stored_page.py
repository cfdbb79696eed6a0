"""The page of all stored figures, whatever their form."""

import json
from pathlib import Path

from benchmarks.harness import RESULTS
from benchmarks.stored_page import stored_page


def test_facts_rows_and_what_lies_deeper_are_shown(tmp_path: Path) -> None:
    (tmp_path / "soak.json").write_text(
        json.dumps(
            {
                "machine": "a <machine>",
                "kills": {"torn": 0},
                "rows": [{"name": "one", "of": {"p50": 1.23456789}}, {"name": "two"}],
                "figures": {"ours": {"still": {"jitter": 0.0061}}, "theirs": {}},
                "recipe": {"width": 4321},
            }
        )
    )
    page = stored_page(tmp_path)
    assert "Hours, kills, full disks, spoilt files" in page
    for shown in ("a &lt;machine&gt;", "of, p50", ">1.2346<", "still, jitter", ">0.0061<", ">torn"):
        assert shown in page
    assert "4321" not in page
    assert "http" not in page


def test_every_stored_file_has_a_section() -> None:
    page = stored_page()
    assert page.count("<section>") == len(list(RESULTS.glob("*.json")))
