"""What is calibrated once and read again: a person's neutral face, and a camera's field of view."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import write_video
from posed_faces import FOV_DEG, HEIGHT, WIDTH, analysed, seen

import run_tracker
from tracker.analysis.face_analyser import FaceAnalyser
from tracker.analysis.linear_face import LinearFace
from tracker.analysis.neutral_file import KeptNeutral, read_neutral, write_neutral
from tracker.cli.arguments import asked_analysis, build_parser
from tracker.errors import FaceTrackError
from tracker.io.lens_calibration import calibrated_fov_deg
from tracker.io.simulated_camera import SimulatedCamera, portrait, still_then_moving


def test_a_neutral_face_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    kept = KeptNeutral({"jawOpen": 0.125, "mouthSmileLeft": 0.5}, 0.75)
    write_neutral(tmp_path / "me.json", kept)
    assert read_neutral(tmp_path / "me.json") == kept


@pytest.mark.parametrize(
    "content", ["", "[]", '{"version": 2}', '{"version": 1, "levels": {"jawOpen": NaN}}',
                '{"version": 1, "levels": {"jawOpen": 7}, "open_gap": 1}'],
)  # fmt: skip
def test_what_is_no_neutral_face_is_refused_in_a_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "me.json").write_text(content)
    with pytest.raises(FaceTrackError, match="holds no neutral face"):
        read_neutral(tmp_path / "me.json")


def test_who_always_smiles_does_not_smile_from_the_first_frame_on(linear: LinearFace) -> None:
    calibrated = FaceAnalyser(WIDTH, HEIGHT, fov_deg=FOV_DEG, calibrate_neutral_s=1.0)
    assert calibrated.neutral() is None
    for i in range(40):
        analysed(calibrated, seen(linear, jawOpen=0.4), i / 30)
    kept = calibrated.neutral()
    assert kept is not None
    again = FaceAnalyser(WIDTH, HEIGHT, fov_deg=FOV_DEG, neutral=kept)
    stranger = FaceAnalyser(WIDTH, HEIGHT, fov_deg=FOV_DEG)
    for i in range(40):
        known = analysed(again, seen(linear, jawOpen=0.4), i / 30)
        if not i:
            first = analysed(stranger, seen(linear, jawOpen=0.4))
            assert first.expression["jawOpen"].value > 0.25
        assert known.expression["jawOpen"].value < 0.1
    assert analysed(again, seen(linear, jawOpen=1.0), 1.4).expression["jawOpen"].value > 0.6
    assert again.neutral() == kept  # nothing is learned
    assert kept.open_gap is None  # nobody looked closely


def test_a_run_keeps_a_neutral_face_and_another_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    camera = SimulatedCamera(portrait(), still_then_moving(0.4), 0.4)
    clip = write_video(tmp_path / "clip.mp4", [frame.image for frame in camera])
    kept, rows = tmp_path / "me.json", tmp_path / "rows.csv"
    keep = [str(clip), "--analyse", "--calibrate-neutral", "0.3", "--save-neutral", str(kept)]
    assert run_tracker.main(keep) == 0
    assert max(read_neutral(kept).levels.values()) > 0
    assert run_tracker.main(keep) == 2
    assert "exists: name another file" in capsys.readouterr().err
    flags = ["--analyse", "--calibrate-neutral", str(kept), "--save-csv", str(rows)]
    assert run_tracker.main([str(clip), *flags]) == 0
    assert "jawOpen" in rows.read_text().splitlines()[0]
    assert run_tracker.main([str(clip), "--save-neutral", str(kept), "--overwrite"]) == 2
    assert "needs an analysis" in capsys.readouterr().err


def calibration(path: Path, focal_px: float, size: tuple[int, int]) -> Path:
    """As OpenCV's own calibration program writes it."""
    storage = cv2.FileStorage(str(path), cv2.FileStorage_WRITE)
    storage.write("image_width", size[0])
    storage.write("image_height", size[1])
    storage.write("camera_matrix", np.array([[focal_px, 0, 320], [0, focal_px, 240], [0, 0, 1.0]]))
    storage.release()
    return path


@pytest.mark.parametrize("suffix", ["yml", "xml", "json"])
@pytest.mark.parametrize("size", [(640, 480), (480, 640)])
def test_a_cameras_calibration_says_its_field_of_view(
    tmp_path: Path, suffix: str, size: tuple[int, int]
) -> None:
    path = calibration(tmp_path / f"camera.{suffix}", 320.0, size)
    assert calibrated_fov_deg(path) == pytest.approx(90)  # half of 640 over 320 is tan 45°
    asked = asked_analysis(build_parser().parse_args(["0", "--axes", "--fov", str(path)]))
    assert asked is not None
    assert asked.fov_deg == pytest.approx(90)


def test_what_is_no_calibration_is_refused_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.yml").write_text("%YAML:1.0\n---\nother: 1\n")
    (tmp_path / "text.yml").write_text("hello")
    wide = calibration(tmp_path / "wide.yml", 1.0, (640, 480))
    for path in (tmp_path / "empty.yml", tmp_path / "text.yml", tmp_path / "none.yml", wide):
        with pytest.raises(FaceTrackError, match="is no calibration"):
            calibrated_fov_deg(path)
        with pytest.raises(SystemExit):
            build_parser().parse_args(["0", "--axes", "--fov", str(path)])
        assert "state degrees" in capsys.readouterr().err
