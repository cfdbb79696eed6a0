"""Streams in a run: queues, virtual camera, rerun, addresses, several at once."""

import queue
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from analysed_faces import analysed_face, frame_of, plain_face, update_of
from fakes import blob_frame, write_video
from receivers import PATIENCE_S, Receiver, free_port, until

import run_tracker
from tracker.errors import SinkError
from tracker.layouts import IBUG_68
from tracker.streams.address import NetAddress
from tracker.streams.stream_sink import StreamSink
from tracker.streams.update import Update
from tracker.streams.virtual_camera import VirtualCameraStream
from tracker.types import Frame


class StuckStream:
    """A receiver that takes one update and then nothing, until it is let go."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self.has_one, self.let_go = threading.Event(), threading.Event()

    def send(self, update: Update) -> None:
        self.received.append(update.sequence)
        self.has_one.set()
        assert self.let_go.wait(PATIENCE_S)

    def close(self) -> None: ...


def test_a_receiver_that_hangs_costs_frames_of_its_own_and_nothing_else() -> None:
    stuck = StuckStream()
    sink = StreamSink("stuck", stuck)
    sink.write(frame_of(0), [])
    assert stuck.has_one.wait(PATIENCE_S)
    for index in range(1, 100):
        sink.write(frame_of(index), [])  # returns, though nothing is taken
    stuck.let_go.set()
    sink.close()
    assert stuck.received == [0, 98, 99]
    assert (sink.sent, sink.dropped) == (3, 97)
    assert str(sink) == "stuck: 3 of 100 frames sent, 97 dropped"


class FullStream:
    def send(self, update: Update) -> None:
        if update.sequence:
            raise BlockingIOError("full buffer")

    def close(self) -> None: ...


class BrokenStream:
    def send(self, update: Update) -> None:
        raise RuntimeError("driver crashed")

    def close(self) -> None: ...


def test_a_full_buffer_is_counted_and_a_crash_is_told_once(caplog) -> None:
    full, broken = StreamSink("full", FullStream()), StreamSink("broken", BrokenStream())
    for index in range(3):
        full.write(frame_of(index), [])
        until(lambda index=index: full.sent + full.undelivered == index + 1)
        broken.write(frame_of(index), [])
    full.close()
    broken.close()
    assert str(full) == "full: 1 of 3 frames sent, 2 not delivered"
    told = [record.getMessage() for record in caplog.records]
    assert told == ["broken: ended, tracking goes on: driver crashed"]


class FakeCamera:
    """What pyvirtualcam's camera is to a program."""

    shown: "queue.Queue[np.ndarray]" = queue.Queue()

    def __init__(self, *, width: int, height: int, fps: float) -> None:
        self.width, self.height, self.fps = width, height, fps

    def send(self, image: np.ndarray) -> None:
        assert image.shape == (self.height, self.width, 3)
        assert image.flags.c_contiguous
        self.shown.put(image.copy())

    def close(self) -> None: ...


@pytest.mark.parametrize("overlay", [True, False])
def test_a_virtual_camera_shows_frames_with_or_without_what_was_found(
    overlay: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=FakeCamera))
    camera = VirtualCameraStream(30, IBUG_68, overlay=overlay, ellipses=False, raw=False)
    camera.send(update_of(plain_face()))
    assert FakeCamera.shown.get(timeout=PATIENCE_S).any() == overlay
    larger = Frame(1, 0.1, np.full((960, 1280, 3), 9, np.uint8))
    camera.send(Update(1, 0.0, larger, []))
    assert (FakeCamera.shown.get(timeout=PATIENCE_S) == 9).all()
    camera.close()


def test_a_machine_without_a_virtual_camera_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_device(**_: object) -> None:
        raise RuntimeError("no camera could be\nopened")

    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=no_device))
    camera = VirtualCameraStream(30, IBUG_68, overlay=True, ellipses=False, raw=False)
    with pytest.raises(SinkError, match="install v4l2loopback"):
        camera.send(update_of())
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(SinkError, match=r"star-tracker\[virtual-camera\]"):
        VirtualCameraStream(30, IBUG_68, overlay=True, ellipses=False, raw=False)


def test_rerun_keeps_points_and_curves_in_a_recording(tmp_path: Path) -> None:
    pytest.importorskip("rerun", reason="needs the extra: pip install '.[rerun]'")
    from tracker.streams.rerun_stream import RerunStream  # noqa: PLC0415

    recording = tmp_path / "run.rrd"
    stream = RerunStream(str(recording), IBUG_68)
    for sequence in range(3):
        face = analysed_face(np.eye(3), expression={"jawOpen": 0.1 * sequence})
        stream.send(update_of(face, sequence=sequence))
    stream.close()
    content = recording.read_bytes()
    assert content.startswith(b"RRF2")
    for entity in (b"camera/face/3", b"ellipses", b"jawOpen"):
        assert entity in content


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("127.0.0.1:39539", ("127.0.0.1", 39539)), ("9000", ("127.0.0.1", 9000)),
     ("[::1]:80", ("::1", 80)), ("studio.local:1", ("studio.local", 1))],
)  # fmt: skip
def test_addresses_are_host_and_port(text: str, wanted: tuple[str, int]) -> None:
    address = NetAddress.parse(text)
    assert (address.host, address.port) == wanted
    assert NetAddress.parse(str(address)) == address


@pytest.mark.parametrize("text", ["", "host", "host:", "host:0", "host:65536", "host:x", "::1:80"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be HOST:PORT"):
        NetAddress.parse(text)


def test_a_run_sends_to_several_at_once_and_writes_every_frame(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One receiver is there, one is gone, one port was never served: the table is whole."""
    clip = write_video(tmp_path / "clip.mp4", [blob_frame([(160.0, 120.0)])] * 40)
    rows, websocket = tmp_path / "rows.csv", free_port()
    with Receiver() as there, Receiver() as gone:
        nobody = gone.address
    with Receiver() as there:
        flags = ["--vmc", str(there.address), "--openseeface", str(nobody), "--osc", str(nobody)]
        flags += ["--websocket", str(websocket), "--save-csv", str(rows)]
        assert run_tracker.main([str(clip), *flags]) == 0
        assert dict(there.messages())["/VMC/Ext/OK"][0] == 1
    assert len(rows.read_text().splitlines()) == 41
    said = capsys.readouterr().out
    for stream in ("VMC to", "OSC to", "OpenSeeFace to", "WebSocket on"):
        assert f"{stream} 127.0.0.1:" in said
    assert said.count(" of 40 frames sent") == 4
    assert "frame to packet, VMC to" in " ".join(said.split())


def test_streams_that_cannot_be_are_refused_before_tracking(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_video(tmp_path / "clip.mp4", [blob_frame([(160.0, 120.0)])] * 3)
    assert run_tracker.main([str(clip), "--vmc", "no-such-host.invalid:39539"]) == 2
    assert "no such host" in capsys.readouterr().err
    assert run_tracker.main([str(clip), str(clip), "--vmc", "39539"]) == 2
    assert "streams need a single input" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run_tracker.main([str(clip), "--osc", "nowhere"])
    assert "must be HOST:PORT" in capsys.readouterr().err
