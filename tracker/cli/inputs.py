"""What the user named: one source, or several videos, one by one or by their folders."""

from pathlib import Path

from ..errors import SourceError
from ..io.pictures import PICTURE_SUFFIXES
from ..io.sources import is_camera

DEMO = "demo"
"""Names the demo, whatever folder is called so."""
VIDEO_SUFFIXES = (
    ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts",
    ".ogv", ".ts", ".webm", ".wmv",
)  # fmt: skip
"""Of videos in folders; a video that is named by itself may end in anything."""


def several_videos(addresses: list[str]) -> list[Path]:
    """The videos, those of a folder by name; none where a single source was named.

    Raises:
        SourceError: If something is missing, or is no video where there are several.
    """
    if len(addresses) == 1:
        folder, is_path = Path(addresses[0]), not (is_camera(addresses[0]) or addresses == [DEMO])
        return videos_in(folder) if is_path and folder.is_dir() else []
    return [video for address in addresses for video in _videos_of(address)]


def _videos_of(address: str) -> list[Path]:
    """Of one of several addresses."""
    path = Path(address)
    if is_camera(address) or not path.exists():
        raise SourceError(f"{address}: no such file or folder: several inputs must all be videos")
    if path.is_dir():
        videos = videos_in(path)
        if not videos:
            raise SourceError(f"{address}: holds no videos: several inputs must all be videos")
        return videos
    if path.suffix.lower() in PICTURE_SUFFIXES:
        raise SourceError(
            f"{address}: is a picture: several inputs must all be videos; for pictures name "
            "their folder alone"
        )
    return [path]


def videos_in(folder: Path) -> list[Path]:
    """The videos of a folder by name, not of the folders in it; none where it holds pictures.

    Raises:
        SourceError: If it holds both.
    """
    # Other systems leave a hidden "._clip.mp4" beside a clip.
    files = [p for p in sorted(folder.iterdir()) if p.is_file() and not p.name.startswith(".")]
    videos = [path for path in files if path.suffix.lower() in VIDEO_SUFFIXES]
    pictures = [path for path in files if path.suffix.lower() in PICTURE_SUFFIXES]
    if videos and pictures:
        raise SourceError(
            f"{folder}: holds videos ({len(videos)}) and pictures ({len(pictures)}): name the "
            f"videos themselves, {folder / f'*{videos[0].suffix}'}, or move one kind elsewhere"
        )
    return videos
