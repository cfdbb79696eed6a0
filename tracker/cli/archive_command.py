"""`run_tracker.py archive LIST --output DIR --ray ADDRESS`: many videos on many machines."""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from ..archive.archive_store import ArchiveStore
from ..archive.ray_cluster import Placement, RayCluster, VideoDone
from ..errors import FaceTrackError, SourceError
from ..run.summary import StopRequest
from .archive_worker import ArchiveWorker
from .arguments import (
    VIDEOS_AT_ONCE_ON_GPU,
    asked_analysis,
    asked_config,
    asked_outputs,
    build_parser,
)
from .asked_networks import Networks, provenance_of, settle_weights

ARCHIVE = "archive"
"""Names this command, whatever file is called so."""


def archive(argv: Sequence[str], networks: Networks, request: StopRequest) -> int:
    """Run the command.

    Args:
        argv: What follows its name.
        networks: `models`.
        request: Begins no more videos.

    Returns:
        The exit status: 0 all videos are whole, 2 some failed, 130 interrupted.
    """
    own, flags = _parser().parse_known_args(argv)
    arguments = build_parser().parse_args([own.list, *flags])
    settle_weights(arguments)
    is_other = asked_outputs(arguments).paths or arguments.show or arguments.resume
    if is_other or asked_analysis(arguments):
        raise FaceTrackError(
            "an archive writes its data set of landmarks alone, and always resumes: name no other "
            "output, stream or analysis"
        )
    if own.overlap < asked_config(arguments).remember_s:
        raise FaceTrackError(
            f"--overlap {own.overlap:g} is shorter than --remember: ids would not go on"
        )
    store = ArchiveStore(Path(own.output).absolute(), _digest(own, arguments, networks))
    with RayCluster(own.ray) as cluster:
        gpus = 0 if arguments.device == "cpu" else cluster.resources("GPU")
        count = own.workers or gpus or max(cluster.resources("CPU") // 2, 1)
        together = own.together or (VIDEOS_AT_ONCE_ON_GPU if gpus else 1)
        make = partial(
            ArchiveWorker, str(getattr(networks, "__name__", "models")), flags, store.folder,
            together=together, piece_s=60 * own.piece_minutes, overlap_s=own.overlap,
        )  # fmt: skip
        share = {"num_gpus": min(gpus / count, 1)} if gpus else {"num_cpus": 1}
        placement = Placement(cluster, cluster.workers(make, count, together, **share), together)
        failed = _run(placement, own.list, store, request)
    return 130 if request.stop.is_set() else 2 * bool(failed)


def _run(placement: Placement, listed: str, store: ArchiveStore, request: StopRequest) -> int:
    console, started = Console(highlight=False), time.monotonic()
    total = sum(1 for _ in _listed(listed))
    left = (video for video in _listed(listed) if not store.is_whole(video))
    skipped = sum(store.is_whole(video) for video in _listed(listed))
    done = failed = 0
    for ended in placement.run(left, request.stop.is_set):
        done, failed = done + 1, failed + bool(ended.error)
        _note(ended, store)
        spent = time.monotonic() - started
        left_s = spent / done * (total - skipped - done)
        console.print(
            f"{skipped + done} of {total}, {failed} failed, {left_s / 3600:.1f} h left: "
            f"{ended.video.name}", markup=False,
        )  # fmt: skip
    return failed


def _note(ended: VideoDone, store: ArchiveStore) -> None:
    if ended.error:
        print(f"error: {ended.error}", file=sys.stderr, flush=True)  # noqa: T201
    else:
        store.finish(ended.video, ended.figures)


def _listed(listed: str) -> Iterator[Path]:
    """The videos of a list, one by one; a name in it counts once.

    Raises:
        SourceError: If the list cannot be read.
    """
    seen: set[bytes] = set()
    try:
        with Path(listed).open(encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                name = line.rstrip("\n")
                path = (Path(listed).parent / name).absolute()
                known = hashlib.sha256(str(path).encode(errors="surrogateescape")).digest()[:12]
                if name.strip() and known not in seen:
                    seen.add(known)
                    yield path
    except OSError as error:
        raise SourceError(f"{listed}: cannot be read ({error.strerror})") from error


def _digest(own: argparse.Namespace, arguments: argparse.Namespace, networks: Networks) -> str:
    """Of all that makes the same rows of the same video."""
    made: dict[str, Any] = json.loads(provenance_of(arguments, networks, "", None).as_json())
    made |= {"piece_minutes": own.piece_minutes, "overlap": own.overlap}
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_tracker.py archive",
        description="Track many videos on the machines of a Ray cluster into one Parquet data set.",
        epilog="Flags of tracking (--weights, --device, --offline, ...) are those of a single run.",
    )
    parser.add_argument("list", metavar="LIST", help="a text file with a video in each line")
    parser.add_argument("--output", required=True, help="folder that all machines see")
    parser.add_argument(
        "--ray", default="local", metavar="ADDRESS",
        help="of the cluster; 'local' is this machine alone (default)",
    )  # fmt: skip
    parser.add_argument("--workers", type=int, help="default: one a GPU, or one for two cores")
    parser.add_argument("--together", type=int, help="pieces at the same time on each worker")
    parser.add_argument(
        "--piece-minutes", type=float, default=10.0,
        help="longer videos are cut into such pieces (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--overlap", type=float, default=30.0, metavar="SECONDS",
        help="that a piece begins before its seam (default: %(default)s)",
    )  # fmt: skip
    return parser
