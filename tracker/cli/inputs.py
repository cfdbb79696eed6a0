"""What the user named: one source, or several videos, or several pictures."""

from pathlib import Path

from ..errors import SourceError
from ..io.picture_reader import PICTURE_SUFFIXES
from ..io.pictures import files_in, say_passed_over
from ..io.sources import is_camera, is_url
from ..io.video_opening import PIPE

DEMO = "demo"
"""Names the demo, whatever folder is called so."""
VIDEO_SUFFIXES = (
    ".264", ".265", ".3g2", ".3gp", ".asf", ".avi", ".dv", ".f4v", ".flv", ".h264", ".h265",
    ".hevc", ".ivf", ".m1v", ".m2t", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov",
    ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm", ".ts", ".vob",
    ".webm", ".wmv", ".y4m",
)  # fmt: skip
"""Of videos in folders; a video that is named by itself may end in anything."""
_OURS = (".csv", ".jsonl", ".json", ".parquet", ".pts")
"""Tables beside the videos are nothing to warn of."""


def several_pictures(addresses: list[str]) -> list[Path]:
    """The pictures that were named one by one, as a shell's *.jpg does; none where others were."""
    paths = [Path(address) for address in addresses]
    are_all = all(
        path.suffix.lower() in PICTURE_SUFFIXES and path.exists() and not path.is_dir()
        for path in paths
    )
    return paths if len(paths) > 1 and are_all else []


def several_videos(addresses: list[str], *, recursive: bool = False) -> list[Path]:
    """The videos, those of a folder by name; none where a single source or pictures were named.

    Args:
        addresses: At least one.
        recursive: Search the folders in a folder, too.

    Raises:
        SourceError: If something is missing, or is no video where there are several.
    """
    if several_pictures(addresses):
        return []
    if len(addresses) > 1:
        return [video for address in addresses for video in _videos_of(address, recursive)]
    (address,) = addresses
    is_path = not (is_camera(address) or is_url(address) or address in (DEMO, PIPE))
    folder = Path(address)
    return videos_in(folder, recursive=recursive) if is_path and folder.is_dir() else []


def _videos_of(address: str, recursive: bool) -> list[Path]:
    """Of one of several addresses."""
    path = Path(address)
    if is_camera(address) or not path.exists():
        raise SourceError(f"{address}: no such file or folder: several inputs must all be videos")
    if path.is_dir():
        videos = videos_in(path, recursive=recursive)
        if not videos:
            raise SourceError(f"{address}: holds no videos: several inputs must all be videos")
        return videos
    if path.suffix.lower() in PICTURE_SUFFIXES:
        raise SourceError(
            f"{address}: is a picture: several inputs must all be videos, or all be pictures"
        )
    return [path]


def videos_in(folder: Path, *, recursive: bool = False) -> list[Path]:
    """The videos of a folder by name; none where it holds pictures.

    Args:
        folder: Hidden files in it are left out.
        recursive: Search the folders in it, too.

    Raises:
        SourceError: If it holds both.
    """
    files = files_in(folder, recursive=recursive)
    videos = [path for path in files if path.suffix.lower() in VIDEO_SUFFIXES]
    pictures = [path for path in files if path.suffix.lower() in PICTURE_SUFFIXES]
    if videos and pictures:
        raise SourceError(
            f"{folder}: holds videos ({len(videos)}) and pictures ({len(pictures)}): name the "
            f"videos themselves, {folder / f'*{videos[0].suffix}'}, or move one kind elsewhere"
        )
    if videos:
        known = {*videos, *(path for path in files if path.suffix.lower() in _OURS)}
        say_passed_over(folder, [path for path in files if path not in known])
    return videos
