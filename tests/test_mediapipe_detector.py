import importlib
import sys
from pathlib import Path

import pytest

from tracker.detection.mediapipe_detector import _loaded_when_used


def test_a_module_is_loaded_by_the_first_look_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "large"
    folder.mkdir()
    (folder / "__init__.py").write_text("import large.slow as slow\nimport large.swift as swift\n")
    (folder / "slow.py").write_text("print('slow is loaded')\nanswer = 42\n")
    (folder / "swift.py").write_text("print('swift is loaded')\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = list(sys.meta_path)
    with _loaded_when_used("large.slow"):
        large = importlib.import_module("large")
    assert sys.meta_path == before
    assert capsys.readouterr().out == "swift is loaded\n"
    assert large.slow.answer == 42
    assert capsys.readouterr().out == "slow is loaded\n"
    for name in ("large", "large.slow", "large.swift"):
        monkeypatch.delitem(sys.modules, name)


def test_a_module_that_is_missing_is_missed_at_once() -> None:
    with _loaded_when_used("nowhere"), pytest.raises(ModuleNotFoundError):
        importlib.import_module("nowhere")
