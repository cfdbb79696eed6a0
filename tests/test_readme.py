import re
from pathlib import Path

import run_tracker
from benchmarks.report import with_figures

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_figures_are_those_that_the_benchmarks_wrote() -> None:
    assert with_figures(README) == README


def test_every_flag_of_the_readme_exists() -> None:
    known = run_tracker.build_parser().format_help()
    table = README.split("| flag | |")[1].split("**Coordinates**")[0]
    flags = set(re.findall(r"--[a-z][a-z-]+", table))
    assert flags
    assert all(flag in known for flag in flags)


def test_every_module_of_the_readme_exists() -> None:
    for module in set(re.findall(r"python -m ((?:train|benchmarks)\.\w+)", README)):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_the_picture_names_files_that_exist() -> None:
    picture = README.split("```text")[1].split("```")[0]
    for name in re.findall(r"\b(?:models/)?\w+\.py", picture.split("tracker/sources.py")[1]):
        assert (ROOT / name).exists() or (ROOT / "tracker" / name).exists()
