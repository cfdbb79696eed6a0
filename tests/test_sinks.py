import csv
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from fakes import blob_frame, blob_shape

from tracker.errors import SinkError
from tracker.io.drawing import draw_faces
from tracker.io.outputs import check_output
from tracker.io.tables import CsvSink, JsonLinesSink
from tracker.io.video_writer import VideoSink
from tracker.io.window import WindowSink
from tracker.layouts import IBUG_68
from tracker.types import Face, Frame, Image, LandmarkEstimate

COVARIANCE = np.array([[2.0, 0.5], [0.5, 1.0]])


def overlay(frame: Frame, faces: list[Face]) -> Image:
    return draw_faces(frame.image, faces, IBUG_68, ellipses=True)


def face(track_id: int = 3, *, predicted: bool = False) -> Face:
    points = 30 * blob_shape() + [160, 120]
    estimate = LandmarkEstimate(points, np.tile(COVARIANCE, (68, 1, 1)))
    raw = None if predicted else LandmarkEstimate(points + 1, estimate.covariance)
    return Face(track_id, 0.9, estimate, raw)


def frame(index: int = 0, name: str = "") -> Frame:
    return Frame(index, index / 25, blob_frame([(160.0, 120.0)]), name)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_csv_has_openfaces_columns_then_covariances(tmp_path: Path) -> None:
    with closing(CsvSink(tmp_path / "x.csv", IBUG_68, by_name=False, raw=False)) as sink:
        sink.write(frame(4), [face()])
    header = (tmp_path / "x.csv").read_text().splitlines()[0].split(",")
    assert header[:6] == ["frame", "face_id", "timestamp", "confidence", "success", "x_0"]
    assert header[5 + 68] == "y_0"
    assert header[5 + 136 : 5 + 142] == [
        "cov_xx_0", "cov_xy_0", "cov_yy_0", "cov_xx_1", "cov_xy_1", "cov_yy_1",
    ]  # fmt: skip
    (row,) = rows_of(tmp_path / "x.csv")
    assert (row["frame"], row["face_id"], row["success"]) == ("4", "3", "1")
    assert float(row["timestamp"]) == pytest.approx(0.16)
    np.testing.assert_allclose(
        [float(row["x_5"]), float(row["y_5"])], face().landmarks.mean[5], atol=1e-4
    )
    assert [float(row[f"cov_{e}_9"]) for e in ("xx", "xy", "yy")] == [2.0, 0.5, 1.0]


def test_every_frame_has_a_row_and_it_is_on_disk_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with closing(CsvSink(path, IBUG_68, by_name=False, raw=False)) as sink:
        for index, faces in enumerate([[], [face(predicted=True)], [face(0), face(1)]]):
            sink.write(frame(index), faces)
            seen = [(row["frame"], row["face_id"], row["success"]) for row in rows_of(path)]
            assert seen[-1][0] == str(index)
    assert seen == [("0", "-1", "0"), ("1", "3", "0"), ("2", "0", "1"), ("2", "1", "1")]
    assert rows_of(path)[0]["x_0"] == ""


def test_raw_rows_hold_what_was_measured(tmp_path: Path) -> None:
    with closing(CsvSink(tmp_path / "x.csv", IBUG_68, by_name=True, raw=True)) as sink:
        sink.write(frame(0, "a.png"), [face()])
    (row,) = rows_of(tmp_path / "x.csv")
    assert row["file"] == "a.png"
    assert float(row["x_0"]) == pytest.approx(face().landmarks.mean[0, 0] + 1)


def test_json_lines_are_readable_after_every_frame(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    with closing(JsonLinesSink(path, raw=False)) as sink:
        for index, faces in enumerate([[face()], [], [face(predicted=True)]]):
            sink.write(frame(index), faces)
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            assert len(lines) == index + 1
    assert lines[0]["faces"][0]["covariances"][0] == COVARIANCE.tolist()
    assert lines[1]["faces"] == []
    assert lines[2]["faces"][0]["success"] == 0


@pytest.mark.parametrize("size", [(320, 240), (321, 241), (1, 1)])
def test_the_overlay_plays_and_shows_the_face(tmp_path: Path, size: tuple[int, int]) -> None:
    sink = VideoSink(tmp_path / "x.mp4", 25.0, overlay)
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for index in range(5):
        sink.write(Frame(index, index / 25, image), [face()])
    sink.close()
    capture = cv2.VideoCapture(str(tmp_path / "x.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    readable, shown = capture.read()
    assert readable
    if size[0] > 1:
        assert shown[110:130, 185:195].max() > 150  # the left eye corner, at (190, 120)


def test_pictures_of_other_sizes_fit_into_the_video(tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "x.mp4", 1.0, overlay)
    for index, size in enumerate(((240, 320), (700, 90), (32, 32))):
        sink.write(Frame(index, float(index), np.zeros((*size, 3), np.uint8)), [])
    sink.close()
    assert cv2.VideoCapture(str(tmp_path / "x.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 3


def stamps_of(path: Path) -> list[float]:
    """Of all pictures, seconds."""
    with av.open(str(path)) as container:
        return [picture.time for picture in container.decode(video=0) if picture.time is not None]


def test_every_frame_of_an_overlay_has_its_own_time(tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "x.mp4", 30.0, overlay)
    image = np.zeros((64, 64, 3), np.uint8)
    for index, time_s in enumerate([0.0, 0.033, 0.5, 0.51, 1.0]):  # a slow, uneven camera
        sink.write(Frame(index, time_s, image), [])
    sink.close()
    assert stamps_of(tmp_path / "x.mp4") == pytest.approx([0.0, 0.033, 0.5, 0.51, 1.0], abs=1e-4)


def test_an_output_is_checked_before_work_begins(tmp_path: Path) -> None:
    there = tmp_path / "there.csv"
    there.write_text("precious")
    with pytest.raises(SinkError, match="exists already: add --overwrite"):
        check_output(there, overwrite=False)
    check_output(there, overwrite=True)
    assert there.read_text() == "precious"
    with pytest.raises(SinkError, match="cannot be written"):
        check_output(tmp_path / "missing" / "x.csv", overwrite=False)
    with pytest.raises(SinkError, match="is a folder"):
        check_output(tmp_path, overwrite=True)


def test_trying_an_output_never_shows_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    plainly = Path.open

    def watched(path: Path, *arguments: Any, **named: Any) -> Any:
        opened.append(path)
        return plainly(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", watched)
    check_output(tmp_path / "new.csv", overwrite=False)
    assert opened
    assert tmp_path / "new.csv" not in opened
    assert not list(tmp_path.iterdir())


def test_a_window_without_a_display_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SinkError, match="no display"):
        WindowSink("x", IBUG_68, ellipses=False, raw=False)


def test_landmarks_that_are_hardly_believed_are_no_success(tmp_path: Path) -> None:
    doubtful = replace(face(), confidence=0.1)
    with closing(CsvSink(tmp_path / "x.csv", IBUG_68, by_name=False, raw=False)) as sink:
        sink.write(frame(), [face(), doubtful])
    sure, unsure = rows_of(tmp_path / "x.csv")
    assert (sure["success"], unsure["success"]) == ("1", "0")
    assert unsure["x_0"] == sure["x_0"]
