import re
from pathlib import Path

from benchmarks.report import with_figures
from tracker.cli.arguments import build_parser

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_figures_are_those_that_the_benchmarks_wrote() -> None:
    assert with_figures(README) == README


def test_every_flag_of_the_readme_exists() -> None:
    known = build_parser().format_help()
    table = README.split("| flag | |")[1].split("**Coordinates**")[0]
    flags = set(re.findall(r"--[a-z][a-z-]+", table))
    assert flags
    assert all(flag in known for flag in flags)


def test_every_module_of_the_readme_exists() -> None:
    for module in set(re.findall(r"python -m ((?:train|benchmarks)(?:\.\w+)+)", README)):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_the_drawing_names_files_that_exist() -> None:
    drawing = README.split("```text")[1].split("```")[0]
    named = 0
    for line in drawing.splitlines():
        folder = ""
        for word in re.findall(r"(?:models|tracker)/(?:\w+/)?|\w+\.py", line):
            if word.endswith("/"):
                folder = word
                assert (ROOT / folder).is_dir()
            else:
                assert (ROOT / folder / word).is_file()
                named += 1
    assert named > 10


def test_links_lead_somewhere() -> None:
    for page in (README, (ROOT / "docs/library.md").read_text(encoding="utf-8")):
        for link in re.findall(r"\]\(([^)#]+)\)", page):
            assert link.startswith("https://") or (ROOT / link).exists(), link
