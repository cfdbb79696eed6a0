"""Write the kit: virtual clips as files, their truth and the page of rules.

    python -m benchmarks.jitter kit DIR
    python -m benchmarks.jitter kit DIR --faces portraits/ --people 24 --size full
    python -m benchmarks.jitter kit DIR --faces portraits/ --mesh face_landmarker.task --heads DIR

Without --faces two people in the public domain are filmed, whose portraits come with packages. With
--mesh people of --faces turn their heads; --heads adds films of rendered heads with their truth.
The same seed gives the same bytes.
"""

import argparse
import hashlib
import json
import zlib
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.progress import track

from tracker.errors import FaceTrackError
from train.mesh_teacher import FaceMesh
from train.whole_file import write_whole

from ...harness import Json, argument_parser, processor_s, run_command, side_by_side
from .kit_film import SIZE, Take, shoot
from .kit_folder import DESCRIPTION, TRUTH, VERSION, KitClip, write_truth_csv, write_truth_parquet
from .kit_heads import head_clips
from .kit_kinds import CORE, KIT_KINDS
from .kit_people import KitPerson, free_people, people_in
from .kit_rules import rules_html, rules_markdown

_SECONDS = {"small": 3.0, "full": 4.0}
_PEOPLE = {"small": 2, "full": 24}
"""Of a folder of portraits."""
_FEW_CLIPS = 6
_ALL_KINDS_UP_TO = 4
"""People; of more each has the core kinds and a third of the others."""


def takes(
    people: Sequence[KitPerson], kinds: Sequence[str], seconds: float, seed: int
) -> list[Take]:
    """Which clips are made of whom."""
    made = []
    for number, person in enumerate(people):
        other = people[(number + 1) % len(people)]
        for place, kind in enumerate(kinds):
            goes_round = len(people) > _ALL_KINDS_UP_TO and kind not in CORE
            if (goes_round and (place + number) % 3) or (
                KIT_KINDS[kind].turns and person.mesh is None
            ):
                continue
            name = f"{kind}_{person.name}"
            # Of the names alone, so that a clip stays when others are added.
            of_clip = zlib.crc32(f"{seed} {name}".encode())
            passer = other if other is not person else _mirrored(person)
            made.append(Take(name, kind, person, passer, of_clip, seconds))
    return made


def _mirrored(person: KitPerson) -> KitPerson:
    return KitPerson(f"{person.name} mirrored", person.face.mirrored, person.source)


def write_kit(
    folder: Path,
    people: Sequence[KitPerson],
    wanted: Sequence[Take],
    size: str,
    seed: int,
    heads: Path | None = None,
) -> Json:
    """Render all clips and write what belongs to them.

    Args:
        folder: To write.
        people: Who is filmed.
        wanted: The clips to render.
        size: Name of the kit's size.
        seed: Of the clips.
        heads: Folder of films of rendered heads, which are added.

    Returns:
        The content of `kit.json`.

    Raises:
        FaceTrackError: If the folder holds a kit already, or cannot be written.
    """
    if (folder / DESCRIPTION).exists():
        raise FaceTrackError(f"{folder}: holds a kit already: name another folder, or delete it")
    films = folder / "clips"
    try:
        films.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FaceTrackError(f"{folder}: cannot be written ({error.strerror})") from error
    rendered: Iterable[KitClip] = () if heads is None else head_clips(heads, films)
    clips = []
    for clip in chain(_shot(wanted, films), rendered):
        clips.append(clip)
        write_truth_csv(films / f"{clip.name}.csv", clip)
    write_truth_parquet(folder / TRUTH, clips)
    description: Json = {
        "version": VERSION,
        "size": size,
        "seed": seed,
        "frame_size": list(SIZE),
        "people": [{"name": p.name, "source": p.source} for p in people],
        "heads": len(clips) - len(wanted),
        "clips": [_row(folder, clip) for clip in clips],
    }
    rules = rules_markdown(description)
    write_whole(folder / "RULES.md", rules.encode())
    write_whole(folder / "rules.html", rules_html(rules).encode())
    # Last: a folder with this file is whole.
    write_whole(folder / DESCRIPTION, (json.dumps(description, indent=1) + "\n").encode())
    return description


def _shot(wanted: Sequence[Take], films: Path) -> Iterable[KitClip]:
    """Few clips are rendered sooner than other processes have begun."""
    if len(wanted) <= _FEW_CLIPS:
        return (shoot(take, films) for take in track(wanted, "clips"))
    return side_by_side(partial(shoot, folder=films), wanted, "clips")


def _row(folder: Path, clip: KitClip) -> Json:
    return {
        "name": clip.name,
        "kind": clip.kind,
        "person": clip.person,
        "file": clip.file,
        "frames": len(clip.times_s),
        "eye_px": round(clip.eye_px, 2),
        "sha256": hashlib.sha256((folder / clip.file).read_bytes()).hexdigest(),
    }


def _people(arguments: argparse.Namespace) -> list[KitPerson]:
    count = arguments.people or _PEOPLE[arguments.size]
    if arguments.faces is None:
        for flag in ("list", "mesh"):
            if getattr(arguments, flag) is not None:
                raise FaceTrackError(f"--{flag} is about portraits: name their folder by --faces")
        return free_people()[:count]
    mesh_of = None if arguments.mesh is None else FaceMesh(arguments.mesh)
    if arguments.list is not None:
        count = arguments.people
    return people_in(arguments.faces, count, arguments.list, mesh_of)


def command(arguments: argparse.Namespace) -> None:
    """Write a kit as the flags say.

    Raises:
        FaceTrackError: If portraits are missing or the folder cannot be written.
    """
    size, kinds = arguments.size, arguments.kinds or list(KIT_KINDS)
    people = _people(arguments)
    seconds = arguments.seconds or _SECONDS[size]
    wanted = takes(people, kinds, seconds, arguments.seed)
    description = write_kit(arguments.folder, people, wanted, size, arguments.seed, arguments.heads)
    bytes_in_all = sum(p.stat().st_size for p in arguments.folder.rglob("*") if p.is_file())
    Console(highlight=False).print(
        f"{arguments.folder}: {len(description['clips'])} clips of {len(people)} people, "
        f"{bytes_in_all / 1e6:.0f} MB, {processor_s():.0f} s of processor time; "
        f"how to score: {arguments.folder / 'RULES.md'}"
    )


def main(flags: Sequence[str] | None = None) -> None:
    """Parse the flags and write."""
    parser = argument_parser("jitter kit", __doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="to write")
    parser.add_argument(
        "--faces", type=Path, metavar="DIR", help="portraits that you may give away"
    )
    parser.add_argument(
        "--list", type=Path, metavar="CSV", help="which of them: portrait,source (default: evenly)"
    )
    parser.add_argument(
        "--mesh", type=Path, metavar="TASK",
        help="face_landmarker.task of MediaPipe, which gives portraits depth: they turn",
    )  # fmt: skip
    parser.add_argument(
        "--heads", type=Path, metavar="DIR", help="films of rendered heads, each with its CSV"
    )
    parser.add_argument("--people", type=int, metavar="N", help="so many of them (default: 2, 24)")
    parser.add_argument("--size", choices=list(_SECONDS), default="small", help="(default: small)")
    parser.add_argument("--kinds", nargs="+", choices=list(KIT_KINDS), help="(default: all)")
    parser.add_argument("--seconds", type=float, help="of each clip (default: 3, full: 4)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    run_command(parser, command, flags)
