"""Weights by what they are for."""

import json
import shutil
from pathlib import Path

import pytest
from fakes import write_video

import models
import tracker.io
from tracker.cli.command import main
from tracker.io.simulated_camera import portrait

_PORTRAIT = Path(tracker.io.__file__).with_name("portrait.jpg")


def _weights_of(table: Path) -> str:
    made = json.loads(table.with_name(table.name + ".meta.json").read_text(encoding="utf-8"))
    return str(made["weights"])


@pytest.mark.parametrize(("asked", "taken"), [([], "base"), (["--weights", "nano"], "nano")])
def test_pictures_have_time_for_the_network_that_errs_less(
    asked: list[str], taken: str, tmp_path: Path
) -> None:
    shutil.copy(_PORTRAIT, tmp_path / "a.jpg")
    table = tmp_path / "t.csv"
    assert main(models, [str(tmp_path / "a.jpg"), "--save-csv", str(table), *asked]) == 0
    assert _weights_of(table) == taken


@pytest.mark.parametrize(("asked", "taken"), [([], "lite"), (["--offline"], "base")])
def test_a_video_has_it_only_offline(asked: list[str], taken: str, tmp_path: Path) -> None:
    film = write_video(tmp_path / "v.avi", [portrait()] * 3)
    table = tmp_path / "t.csv"
    assert main(models, [str(film), "--save-csv", str(table), *asked]) == 0
    assert _weights_of(table) == taken
