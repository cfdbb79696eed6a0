"""Write the kit: virtual clips as files, their truth and the page of rules.

    python -m benchmarks.jitter kit DIR
    python -m benchmarks.jitter kit DIR --faces portraits/ --people 24 --size full

Without --faces two people in the public domain are filmed, whose portraits come with packages. The
same seed gives the same bytes.
"""

import argparse
import hashlib
import json
import zlib
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from tracker.errors import FaceTrackError
from train.whole_file import write_whole

from ...harness import Json, argument_parser, run_command
from .kit_film import SIZE, Take, shoot
from .kit_folder import DESCRIPTION, TRUTH, VERSION, KitClip, write_truth_csv, write_truth_parquet
from .kit_kinds import CORE, KIT_KINDS
from .kit_people import KitPerson, free_people, people_in
from .kit_rules import rules_html, rules_markdown

_SECONDS = {"small": 3.0, "full": 4.0}
_PEOPLE = {"small": 2, "full": 24}
"""Of a folder of portraits."""
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
    folder: Path, people: Sequence[KitPerson], wanted: Sequence[Take], size: str, seed: int
) -> Json:
    """Render all clips and write what belongs to them.

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
    clips = []
    for take in track(wanted, "clips"):
        clips.append(shoot(take, films))
        write_truth_csv(films / f"{take.name}.csv", clips[-1])
    write_truth_parquet(folder / TRUTH, clips)
    description: Json = {
        "version": VERSION,
        "size": size,
        "seed": seed,
        "frame_size": list(SIZE),
        "people": [{"name": p.name, "source": p.source} for p in people],
        "clips": [_row(folder, clip) for clip in clips],
    }
    rules = rules_markdown(description)
    write_whole(folder / "RULES.md", rules.encode())
    write_whole(folder / "rules.html", rules_html(rules).encode())
    # Last: a folder with this file is whole.
    write_whole(folder / DESCRIPTION, (json.dumps(description, indent=1) + "\n").encode())
    return description


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


def command(arguments: argparse.Namespace) -> None:
    """Write a kit as the flags say.

    Raises:
        FaceTrackError: If portraits are missing or the folder cannot be written.
    """
    size, kinds = arguments.size, arguments.kinds or list(KIT_KINDS)
    count = arguments.people or _PEOPLE[size]
    faces = arguments.faces
    people = free_people()[:count] if faces is None else people_in(faces, count)
    seconds = arguments.seconds or _SECONDS[size]
    wanted = takes(people, kinds, seconds, arguments.seed)
    description = write_kit(arguments.folder, people, wanted, size, arguments.seed)
    bytes_in_all = sum(p.stat().st_size for p in arguments.folder.rglob("*") if p.is_file())
    Console(highlight=False).print(
        f"{arguments.folder}: {len(description['clips'])} clips of {len(people)} people, "
        f"{bytes_in_all / 1e6:.0f} MB; how to score: {arguments.folder / 'RULES.md'}"
    )


def main(flags: Sequence[str] | None = None) -> None:
    """Parse the flags and write."""
    parser = argument_parser("jitter kit", __doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="to write")
    parser.add_argument(
        "--faces", type=Path, metavar="DIR", help="portraits that you may give away"
    )
    parser.add_argument("--people", type=int, metavar="N", help="so many of them (default: 2, 24)")
    parser.add_argument("--size", choices=list(_SECONDS), default="small", help="(default: small)")
    parser.add_argument("--kinds", nargs="+", choices=list(KIT_KINDS), help="(default: all)")
    parser.add_argument("--seconds", type=float, help="of each clip (default: 3, full: 4)")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    run_command(parser, command, flags)
