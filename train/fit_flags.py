"""The command line of `train.fit`."""

import argparse
from pathlib import Path

from .recipes import RECIPES


def build_parser() -> argparse.ArgumentParser:
    """The parser, which `train.queue` and `train.lease` use too."""
    parser = argparse.ArgumentParser(description="Train a landmark network")
    data = parser.add_argument_group("data")
    data.add_argument("--data", type=Path, required=True, help="folder of a data set, or a .tsv")
    data.add_argument("--pictures", type=Path, help="where the pictures of a .tsv are")
    data.add_argument("--pseudo-labels", type=Path, help="what train.teacher wrote")
    data.add_argument(
        "--further",
        type=Path,
        nargs="*",
        default=[],
        help="what train.screening wrote; the recipe has a share for each by the file's name",
    )
    data.add_argument(
        "--lose-first-row",
        action="store_true",
        help="drop the first row of a .tsv as the authors do",
    )
    data.add_argument(
        "--select-on-test",
        action="store_true",
        help="train on all of the training part and keep the state that is best on the test part, "
        "as the authors do; the weights, and every table of them, say so",
    )
    what = parser.add_argument_group("training")
    what.add_argument("--config", choices=sorted(RECIPES), required=True)
    what.add_argument("--run-folder", type=Path, required=True, help="to write to and resume from")
    what.add_argument("--images", type=int, help="pictures to see in all, instead of the recipe's")
    what.add_argument("--evaluate-every", type=int, help="pictures, instead of the recipe's")
    what.add_argument("--start-from", help="weights to begin a new run with: a name or a path")
    what.add_argument(
        "--go-on-from",
        type=Path,
        help="weights of this run, where its state is lost: go on at their place of the schedule",
    )
    what.add_argument("--minutes", type=float, default=float("inf"), help="stop after this long")
    what.add_argument(
        "--by-clock",
        action="store_true",
        help="let the schedule follow the --minutes, not the pictures: how many they are shows "
        "later",
    )
    how = parser.add_argument_group("machine")
    how.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    how.add_argument("--precision", default="fp32", choices=["fp32", "bf16", "fp16"])
    how.add_argument("--workers", type=int, default=1, help="processes that cut crops")
    how.add_argument("--in-memory", action="store_true", help="decode all pictures beforehand")
    how.add_argument("--accumulate", type=int, default=1, help="parts that a batch is cut into")
    how.add_argument("--compile", action="store_true", help="faster after two minutes' start")
    how.add_argument("--graph", action="store_true", help="record steps and play them back: CUDA")
    how.add_argument(
        "--pool",
        type=int,
        default=0,
        metavar="VIEWS",
        help="keep so many views on the device and show each again, changed: for a device that "
        "trains faster than processors draw",
    )
    how.add_argument("--tensorboard", action="store_true", help="needs the extra 'monitor'")
    return parser
