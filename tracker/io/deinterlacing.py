"""Interlaced frames, whose odd and even lines are of two moments, as whole ones."""

from collections.abc import Iterable, Iterator

import av
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_FILTER = "bwdif=mode=send_frame:deint=interlaced"
"""Leaves progressive frames as they are, and is a frame behind."""


def deinterlaced(frames: Iterable[VideoFrame], stream: VideoStream) -> Iterator[VideoFrame]:
    """The same frames at the same times; a video without interlaced frames goes past the filter."""
    graph: Graph | None = None
    shape: tuple[object, ...] = ()
    for frame in frames:
        here = frame.width, frame.height, frame.format.name
        if graph and here != shape:
            yield from _rest(graph)
            graph = None
        if graph is None and frame.interlaced_frame:
            graph, shape = _graph(frame, stream), here
        if graph is None:
            yield frame
        else:
            graph.vpush(frame)
            yield from _ready(graph)
    if graph:
        yield from _rest(graph)


def _graph(frame: VideoFrame, stream: VideoStream) -> Graph:
    graph = Graph()
    name, _, options = _FILTER.partition("=")
    graph.link_nodes(
        graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=stream.time_base
        ),
        graph.add(name, options),
        graph.add("buffersink"),
    ).configure()
    return graph


def _rest(graph: Graph) -> Iterator[VideoFrame]:
    graph.vpush(None)
    yield from _ready(graph)


def _ready(graph: Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return
