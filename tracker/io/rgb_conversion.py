"""Decoded frames as RGB pictures."""

import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame

from ..types import Image

_UNSPECIFIED = 2
"""Transfer characteristics that a conversion leaves alone."""


class RgbConversion:
    """Converts frames, of any kind and size; for one thread at a time.

    A filter graph of FFmpeg uses the memory of pictures that nobody holds any more again. Fresh
    memory for each costs more than the conversion: the system maps and clears every page of it.
    """

    def __init__(self) -> None:
        self._kind: tuple[object, ...] = ()
        self._graph: Graph | None = None

    def picture(self, frame: VideoFrame) -> Image:
        """RGB, of the frame's size; transparency is dropped.

        Args:
            frame: Its transfer characteristics are lost.

        Raises:
            FFmpegError: If there is no such conversion.
        """
        kind = frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range
        if self._graph is None or kind != self._kind:
            self._kind, self._graph = kind, _conversion_of(frame)
        frame.color_trc = _UNSPECIFIED
        self._graph.vpush(frame)
        return np.asarray(self._graph.vpull().to_ndarray(), np.uint8)


def _conversion_of(frame: VideoFrame) -> Graph:
    """For frames like this one."""
    graph = Graph()
    graph.threads = 1  # more take longer here than they save
    source = graph.add(
        "buffer",
        video_size=f"{frame.width}x{frame.height}",
        pix_fmt=frame.format.name,
        colorspace=str(frame.colorspace),
        range=str(frame.color_range),
        time_base="1/1000",
    )
    graph.link_nodes(
        source,
        graph.add("scale", "flags=bilinear"),
        graph.add("format", "pix_fmts=rgb24"),
        graph.add("buffersink"),
    ).configure()
    return graph
