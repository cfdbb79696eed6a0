"""The page and the CSV of many videos, worst first; written anew while they are tracked."""

import csv
import io
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from urllib.parse import quote

from ..io.provenance import write_whole
from ..run.summary import RunSummary
from .html_shell import clock, fact, html_page, number, percent, shown
from .video_figures import VideoFigures
from .video_page import figures_in

PAGE, TABLE = "index.html", "videos.csv"
_EVERY_S = 5.0
"""While videos are tracked."""
_COLUMNS: tuple[
    tuple[str, Callable[[VideoFigures], object], Callable[[VideoFigures], str]], ...
] = (
    ("tracked", lambda v: v.tracked, lambda v: percent(v.tracked)),
    ("confidence", lambda v: v.confidence, lambda v: number(v.confidence)),
    ("jitter, %", lambda v: v.jitter_percent, lambda v: number(v.jitter_percent, 3)),
    ("motion, /s", lambda v: v.motion, lambda v: number(v.motion)),
    ("faces", lambda v: v.faces, lambda v: str(v.faces)),
    ("at once", lambda v: v.most_faces, lambda v: str(v.most_faces)),
    ("length", lambda v: v.seconds, lambda v: clock(v.seconds)),
    ("frames", lambda v: v.frames, lambda v: str(v.frames)),
    ("dropped", lambda v: v.dropped, lambda v: str(v.dropped)),
    ("damaged", lambda v: v.damaged, lambda v: str(v.damaged)),
)
"""Name, what is sorted by, and what is shown."""
_SORTING = """
document.querySelectorAll("th button").forEach((button, column) => button.onclick = () => {
  const head = button.parentElement, body = document.querySelector("tbody");
  const up = head.getAttribute("aria-sort") === "descending";
  document.querySelectorAll("th").forEach(each => each.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const key = row => row.cells[column].dataset.key;
  const order = (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === "" || y === "") return (x === "") - (y === "");
    return (column ? x - y : x.localeCompare(y)) * (up ? 1 : -1);
  };
  [...body.rows].sort(order).forEach(row => body.append(row));
});
"""


class ReportIndex:
    """Knows how all videos of a run went; a `tracker.run.several_videos.Report`.

    Args:
        folder: Of the pages.
        videos: All of them, with their pages.
        done: Those that an earlier run finished.
    """

    def __init__(
        self, folder: Path, videos: Mapping[Path, Path], done: Iterable[Path] = ()
    ) -> None:
        self._folder, self._pages = folder, videos
        self._known: dict[Path, VideoFigures] = {}
        self._written_s = time.monotonic()
        for video in done:
            self._read(video)

    def _read(self, video: Path) -> None:
        page = self._pages[video]
        if page.is_file() and (figures := figures_in(page.read_text("utf-8", "replace"))):
            self._known[video] = figures

    def end(self, video: Path, _run: RunSummary) -> None:
        """One more video came to its end, and its page is written."""
        self._read(video)
        self._write_if_due()

    def fail(self, video: Path, error: str) -> None:
        """One more video ended by an error."""
        self._known[video] = VideoFigures(name=video.name, error=error)
        self._write_if_due()

    def _write_if_due(self) -> None:
        if time.monotonic() - self._written_s >= _EVERY_S:
            self.write()

    def write(self) -> None:
        """Write both files; each is whole at any time.

        Raises:
            SinkError: If they cannot be written.
        """
        worst_first = sorted(self._known.values(), key=lambda v: v.badness, reverse=True)
        write_whole(self._folder / PAGE, index_page(worst_first, len(self._pages)))
        write_whole(self._folder / TABLE, index_table(worst_first))
        self._written_s = time.monotonic()


def index_table(videos: Sequence[VideoFigures]) -> str:
    """CSV with a row for each video; empty where nothing is known."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(VideoFigures)])
    for video in videos:
        row = ["" if value is None else value for value in asdict(video).values()]
        writer.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in row])
    return text.getvalue().encode("utf-8", "replace").decode()


def index_page(videos: Sequence[VideoFigures], asked: int) -> str:
    """A whole document.

    Args:
        videos: In the order in which they are shown.
        asked: Videos in all.
    """
    failed, frames = sum(bool(v.error) for v in videos), sum(v.frames for v in videos)
    share = sum((v.tracked or 0) * v.frames for v in videos) / frames if frames else None
    facts = [
        fact("videos done", f"{len(videos) - failed} of {asked}"),
        fact("failed", str(failed), bad=failed > 0),
        fact("of all frames tracked", percent(share)),
        fact("in all", clock(sum(v.seconds for v in videos))),
        fact("faces, by id", str(sum(v.faces for v in videos))),
    ]
    heads = "".join(f'<th scope="col"><button>{name}</button></th>' for name, _, _ in _COLUMNS)
    body = (
        f"<h1>All videos</h1>\n<p>Worst first: failed, then by the share of frames in which a face "
        f'is tracked, then by confidence. A click on a head sorts. <a href="{TABLE}">The same as '
        f'CSV</a></p>\n<div class="facts">{"".join(facts)}</div>\n<div class="wide"><table><thead>'
        f'<tr><th scope="col"><button>video</button></th>{heads}</tr></thead>\n<tbody>'
        f"{''.join(map(_row, videos))}</tbody></table></div>\n<script>{_SORTING}</script>"
    )
    return html_page("All videos", body)


def _row(video: VideoFigures) -> str:
    name = shown(video.name)
    link = quote(video.page, errors="surrogateescape")
    first = f'<a href="{link}" title="{name}">{name}</a>' if video.page else name
    cells = f'<td data-key="{name}">{first}</td>'
    if video.error:
        hidden = '<td hidden data-key=""></td>' * (len(_COLUMNS) - 1)
        told = f"<div>{shown(video.error)}</div>"
        cells += f'<td class="error" colspan="{len(_COLUMNS)}" data-key="">{told}</td>{hidden}'
        return f"<tr>{cells}</tr>\n"
    for _, key, text in _COLUMNS:
        value = key(video)
        cells += f'<td data-key="{"" if value is None else value}">{text(video)}</td>'
    return f"<tr>{cells}</tr>\n"


def write_index_of(folder: Path) -> None:
    """The page and the CSV of all pages that lie in a folder.

    Raises:
        SinkError: If they cannot be written.
    """
    pages = {page: page for page in sorted(folder.glob("*.html")) if page.name != PAGE}
    ReportIndex(folder, pages, pages).write()
