"""JSON over WebSocket against a client of other make."""

import json
import socket
from dataclasses import replace

import numpy as np
import pytest
from analysed_faces import analysed_face, plain_face, turned, update_of
from receivers import PATIENCE_S, free_port, until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tracker.errors import SinkError
from tracker.streams.address import NetAddress
from tracker.streams.face_json import update_as_json
from tracker.streams.update import Update
from tracker.streams.websocket_stream import WebSocketStream


def test_every_client_gets_every_frame_as_json() -> None:
    address = NetAddress("127.0.0.1", free_port())
    stream = WebSocketStream(address)
    with connect(f"ws://{address}") as one, connect(f"ws://{address}") as other:
        face = analysed_face(turned("y", -20), expression={"jawOpen": 0.5})
        until(lambda: stream.clients == 2)
        for sequence in range(3):
            stream.send(update_of(face, plain_face(), sequence=sequence))
        for client in (one, other):
            lines = [json.loads(client.recv(PATIENCE_S)) for _ in range(3)]
            assert [line["sequence"] for line in lines] == [0, 1, 2]
        last = lines[-1]
        assert (last["width"], last["height"], last["captured_s"]) == (640, 480, 1_700_000_000.25)
        analysed, plain = last["faces"]
        assert (analysed["face_id"], plain["face_id"]) == (3, 0)
        assert "pose" not in plain
        assert analysed["pose"]["yaw_deg"] == pytest.approx(20)
        assert analysed["expression"] == {"jawOpen": [0.5, 0.1]}
        assert analysed["eyes"]["left"]["gaze"] is None
        assert np.shape(analysed["points"]) == (68, 2)
        stream.close()
        with pytest.raises(ConnectionClosed):
            one.recv(PATIENCE_S)


def test_what_is_not_known_is_null() -> None:
    face = replace(plain_face(), confidence=float("nan"))
    (unsure,) = json.loads(update_as_json(update_of(face)))["faces"]
    assert unsure["confidence"] is None
    unmeasured = replace(plain_face(), measured=None)
    (predicted,) = json.loads(update_as_json(update_of(unmeasured), raw=True))["faces"]
    assert predicted["predicted"]
    assert "points" not in predicted


def test_a_strangers_page_gets_no_faces() -> None:
    address = NetAddress("127.0.0.1", free_port())
    stream = WebSocketStream(address)
    with pytest.raises(InvalidStatus):
        connect(f"ws://{address}", origin="https://evil.example")
    with connect(f"ws://{address}", origin="http://localhost:8080"):
        pass
    with pytest.raises(SinkError, match="cannot listen"):
        WebSocketStream(address)
    stream.close()


def test_a_client_that_does_not_read_is_dropped_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def long_text(update: Update, **_: object) -> str:
        return f"{update.sequence} " + 1_000_000 * "x"

    monkeypatch.setattr("tracker.streams.websocket_stream.update_as_json", long_text)
    address = NetAddress("127.0.0.1", free_port())
    stream = WebSocketStream(address)
    with (
        socket.create_connection((address.host, address.port)) as lazy,
        connect(f"ws://{address}", max_size=None) as keen,
    ):
        lazy.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        until(lambda: stream.clients == 2)
        for sequence in range(60):  # more than any system keeps for a program that does not read
            stream.send(update_of(sequence=sequence))
            assert str(keen.recv(PATIENCE_S)).startswith(f"{sequence} ")
        assert stream.too_slow == 1
        assert stream.clients == 1
    stream.close()
