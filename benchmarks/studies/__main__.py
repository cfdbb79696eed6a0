"""What helps, and what does it cost? Variants of a training recipe, side by side.

    python -m benchmarks.studies NAME --report
    python -m benchmarks.studies NAME --data 300w --run runs/NAME [--pseudo-labels labels.npz]

NAME is `ablation` (the STAR loss at small scale), `architectures` (networks and what they cost) or
`extras` (what helps when training goes on). `--report` prints the stored table. Without it the
variants are trained and the stored figures and their table brought up to date; given again, the
command goes on where it stopped.
"""

import argparse
import re
from pathlib import Path

from rich.console import Console

from train.datasets import open_data_set
from train.faces import gather

from ..harness import (
    RESULTS,
    argument_parser,
    read_json,
    rich_table,
    run_command,
    save_json,
    wide_console,
)
from .ablation import ABLATION
from .architectures import ARCHITECTURES
from .extras import EXTRAS
from .study import Study, Trial, as_markdown, collect, table, train

STUDIES = {study.name: study for study in (ABLATION, ARCHITECTURES, EXTRAS)}


def chosen_trials(study: Study, names: list[str] | None) -> list[Trial]:
    """The trials of these names; all of them if none is named."""
    return [trial for trial in study.trials if not names or trial.name in names]


def bring_up_to_date(study: Study, arguments: argparse.Namespace) -> None:
    """Train what is not trained yet, then store the figures and the table.

    Raises:
        FaceTrackError: If the data cannot be read or a run cannot go on.
    """
    data_set = open_data_set(arguments.data)
    faces = gather(data_set, arguments.pseudo_labels, select_on_test=False)
    names = arguments.only or [variant.name for variant in study.variants]
    train(study, faces, arguments.run, names, chosen_trials(study, arguments.trials))
    result = collect(study, faces, arguments.run, arguments.data)
    save_json(RESULTS / f"{study.name}.json", result)
    (RESULTS / f"{study.name}.md").write_text(as_markdown(study, result), encoding="utf-8")


def show(study: Study, console: Console) -> None:
    """Print the stored table."""
    result = read_json(RESULTS / f"{study.name}.json")
    headings, rows = table(study, result)
    rows = [[re.sub(r"\*\*(.+)\*\*", r"[bold]\1[/]", cell) for cell in row] for row in rows]
    console.print(rich_table(headings, rows, title=study.title, text=len(study.labels)))
    console.print(study.note.format(data=result["data"]))
    console.print(f"Machine: {result['machine']}.")


def main(command: list[str] | None = None) -> None:
    """Parse the flags, train unless only the report is wanted, print the table."""
    parser = argument_parser("studies", __doc__)
    parser.add_argument("name", choices=STUDIES, help="the study")
    parser.add_argument("--report", action="store_true", help="only print what is stored")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of 300W")
    parser.add_argument("--run", type=Path, metavar="DIR", help="folder for the runs")
    parser.add_argument("--pseudo-labels", type=Path, metavar="F", help="what train.teacher wrote")
    parser.add_argument("--only", nargs="+", metavar="VARIANT", help="train only these")
    parser.add_argument("--trials", nargs="+", metavar="TRIAL", help="and up to these budgets")

    def benchmark(arguments: argparse.Namespace) -> None:
        study = STUDIES[arguments.name]
        if not arguments.report:
            if not arguments.data or not arguments.run:
                parser.error("training needs --data and --run; --report prints the stored table")
            _check_names(parser, "--only", arguments.only, [v.name for v in study.variants])
            _check_names(parser, "--trials", arguments.trials, [t.name for t in study.trials])
            bring_up_to_date(study, arguments)
        show(study, wide_console())

    run_command(parser, benchmark, command)


def _check_names(
    parser: argparse.ArgumentParser, flag: str, given: list[str] | None, known: list[str]
) -> None:
    if unknown := [name for name in given or [] if name not in known]:
        parser.error(f"{flag}: no '{unknown[0]}': choose from {', '.join(map(repr, known))}")


if __name__ == "__main__":
    main()
