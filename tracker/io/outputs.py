"""The outputs of a run: where each is written, and whether it can be."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import SinkError
from .video_writer import CONTAINERS, Encoding

_VIDEO, _CSV, _JSONL, _PARQUET, _COCO = ".mp4", ".csv", ".jsonl", ".parquet", ".json"
_PAGE = ".html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What was asked for; paths are files, or folders where there are several inputs."""

    video: Path | None = None
    csv: Path | None = None
    jsonl: Path | None = None
    parquet: Path | None = None
    coco: Path | None = None
    pts: Path | None = None
    """A folder, also where there is one input."""
    compare: Path | None = None
    report: Path | None = None
    """A page; a folder of pages also where there is one input, until `for_one` names its page."""
    overwrite: bool = False
    raw: bool = False
    """Landmarks as measured."""
    ellipses: bool = False
    analysis: bool = False
    """Head pose, eyes and expression in tables."""
    axes: bool = False
    """Draw the axes of heads."""
    encoding: Encoding = field(default_factory=Encoding)
    """Of videos."""
    window: bool = False
    are_streamed: bool = False
    """Somebody else shows them: no window opens by itself."""

    @property
    def paths(self) -> list[Path]:
        return [path for path in (*self.files, self.pts) if path]

    @property
    def files(self) -> list[Path]:
        """Those that are no folder where there is one input."""
        named = (self.video, self.csv, self.jsonl, self.parquet, self.coco, self.compare,
                 self.report)  # fmt: skip
        return [path for path in named if path]

    def of(self, video: Path) -> "Outputs":
        """Those of one of several videos: files that are named after it, in the folders."""

        def named(folder: Path | None, suffix: str) -> Path | None:
            return folder / f"{video.stem}{suffix}" if folder else None

        return replace(
            self,
            video=named(self.video, _VIDEO),
            csv=named(self.csv, _CSV),
            jsonl=named(self.jsonl, _JSONL),
            parquet=named(self.parquet, _PARQUET),
            coco=named(self.coco, _COCO),
            pts=named(self.pts, ""),
            compare=named(self.compare, _VIDEO),
            report=page_of(self.report, video.stem) if self.report else None,
        )

    def for_one(self, address: str) -> "Outputs":
        """Those of a single source: the page of a report is named after it.

        Raises:
            SinkError: If the folder of the report cannot be made.
        """
        if self.report is None:
            return self
        name = (
            address.split("?", maxsplit=1)[0].rstrip("/").rpartition("/")[2]
            if "://" in address
            else address
        )
        try:
            self.report.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"{self.report}: cannot be made ({error.strerror})") from error
        return replace(self, report=page_of(self.report, Path(name).stem or "source"))


def page_of(folder: Path, stem: str) -> Path:
    """A report's page of a video; `index.html` is that of all."""
    return folder / f"{stem}{'_' * (stem.casefold() == 'index')}{_PAGE}"


def check_output(path: Path, *, overwrite: bool) -> None:
    """See that an output can be written, before anything is tracked.

    Raises:
        SinkError: If it exists already, or its folder is missing or not writable.
    """
    if path.is_dir():
        raise SinkError(f"{path}: is a folder: name a file")
    existed = path.exists()
    if existed and not path.is_file():
        return  # a device, or a pipe, which waits for its reader when it is opened
    if existed and not overwrite:
        raise SinkError(f"{path}: exists already: add --overwrite or name another file")
    # A run that is killed here leaves no empty output: what is new is tried beside its place.
    tried = path if existed else path.with_name(f".{path.name}.new")
    try:
        with tried.open("ab"):
            pass
    except OSError as error:
        raise SinkError(
            f"{path}: cannot be written ({error.strerror}): name a file in a folder you may write"
        ) from error
    if not existed:
        tried.unlink()


def check_folder(folder: Path | None, *, overwrite: bool) -> None:
    """See that a folder of files can be written to; None is none.

    Raises:
        SinkError: If it is a file, or holds something already.
    """
    if folder is None or not folder.exists():
        return
    if not folder.is_dir():
        raise SinkError(f"{folder}: is a file: name a folder")
    if any(folder.iterdir()) and not overwrite:
        raise SinkError(f"{folder}: holds files already: add --overwrite or name another folder")


def check_outputs(outputs: Outputs, sources: list[Path]) -> None:
    """See that all outputs can be written and spoil neither the sources nor each other.

    Raises:
        SinkError: If not.
    """
    _check_names(outputs.paths, sources)
    for path in outputs.files:
        check_output(path, overwrite=outputs.overwrite)
    check_folder(outputs.pts, overwrite=outputs.overwrite)


def check_outputs_of_several(
    outputs: Outputs, videos: list[Path], is_ours: Callable[[Path], bool] = lambda _path: False
) -> None:
    """The same for several videos; folders that are not there are made.

    Args:
        outputs: Folders.
        videos: All of them.
        is_ours: Whether an output that exists may be made anew.

    Raises:
        SinkError: If not, or if two videos have one name.
    """
    if outputs.window:
        raise SinkError("--show shows one input: name a single one")
    if not outputs.paths:
        raise SinkError("several inputs need a folder to write to: add --save-csv FOLDER")
    _check_stems(videos)
    for folder in outputs.paths:
        looks_like_file = folder.suffix.lower() in (*CONTAINERS, _CSV, _JSONL, _PARQUET, _COCO)
        if not folder.is_dir() and (folder.exists() or looks_like_file):
            raise SinkError(f"{folder}: is a file's name: several inputs need that of a folder")
    files = [path for video in videos for path in outputs.of(video).paths]
    _check_names(files, videos)
    for folder in outputs.paths:
        folder.mkdir(parents=True, exist_ok=True)
    for video in videos:
        of_one = outputs.of(video)
        for path in of_one.files:
            check_output(path, overwrite=outputs.overwrite or is_ours(path))
        pts = of_one.pts
        check_folder(pts, overwrite=outputs.overwrite or (pts is not None and is_ours(pts)))


def _check_stems(videos: list[Path]) -> None:
    """Two videos of one name would be written to the same files; some disks know no case."""
    stem, count = Counter(video.stem.casefold() for video in videos).most_common(1)[0]
    if count > 1:
        first, second = [video for video in videos if video.stem.casefold() == stem][:2]
        raise SinkError(
            f"{first} and {second}: outputs would both be named {first.stem}: rename one, or track "
            "them one at a time"
        )


def _check_names(paths: list[Path], sources: list[Path]) -> None:
    """No output is a source, or another output, by whatever name."""
    taken: dict[object, str] = {}
    for source in sources:
        inside = [Path(entry) for entry in os.scandir(source)] if source.is_dir() else []
        taken |= {file: "the source" for file in map(_identity, [source, *inside])}
    for path in paths:
        if _identity(path) in taken:
            raise SinkError(f"{path}: is already {taken[_identity(path)]}: name another file")
        if path.exists() and not (path.is_file() or path.is_dir()):
            continue  # a device takes what it is given
        taken[_identity(path)] = "another output"


def _identity(path: Path) -> object:
    """The same for all names of a file: hard and symbolic links, another case where none counts."""
    try:
        there = path.stat()
    except OSError:
        return path.resolve()
    return there.st_dev, there.st_ino
