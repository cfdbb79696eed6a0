"""The library as a stranger's program uses it."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import BlobDetector, BlobLandmarker, blob_frame, write_video

import models
import tracker
from tracker.checks import boxes_from_corners
from tracker.io.simulated_camera import SimulatedCamera, portrait, still_then_moving

ROOT = Path(__file__).parents[1]
SNIPPETS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/library.md").read_text(), re.DOTALL)
CHECKOUT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "package")])}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture and a clip of the portrait."""
    folder = tmp_path_factory.mktemp("stranger")
    cv2.imwrite(str(folder / "portrait.jpg"), cv2.cvtColor(portrait(), cv2.COLOR_RGB2BGR))
    camera = SimulatedCamera(portrait(), still_then_moving(0.1), 0.3)
    images = [frame.image for frame in camera]
    write_video(folder / "clip.mp4", images)
    write_video(folder / "clip.mpg", images)  # needs no index at its end
    return folder


def run(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder, env=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("index", range(len(SNIPPETS)))
def test_the_snippets_of_the_manual_run(index: int, folder: Path) -> None:
    code = SNIPPETS[index]
    if "VideoCapture(0)" in code:  # a clip is the camera, and nobody sees the window
        code = code.replace("VideoCapture(0)", 'VideoCapture("clip.mp4")')
        code = re.sub(r" +cv2.imshow\(\"faces\", (.*)\)\n", r"        \1\n", code)
        code = code.replace("cv2.waitKey(1) == 27", "False")
    printed = run(code, folder)
    assert printed or "VideoCapture" in code


def test_the_snippets_pass_strict_type_checking(tmp_path: Path) -> None:
    for index, code in enumerate(SNIPPETS):
        plain = code.replace("from star_tracker import models, tracker", "import models, tracker")
        plain = plain.replace("from star_tracker import tracker", "import tracker")
        (tmp_path / f"user_{index}.py").write_text(plain)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", *map(str, tmp_path.glob("user_*.py"))],
        cwd=tmp_path, env={**CHECKOUT, "MYPYPATH": str(ROOT)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_one_name_leads_to_both_packages(folder: Path) -> None:
    code = (
        "import star_tracker, tracker, models\n"
        "assert star_tracker.FaceTracker is tracker.FaceTracker\n"
        "assert star_tracker.load_landmarker is models.load_landmarker\n"
        "from star_tracker import tracker as same\n"
        "assert same is tracker\n"
        "print(len(star_tracker.__all__))"
    )
    assert int(run(code, folder)) == 2 + len(tracker.__all__) + len(models.__all__)


def test_the_filter_needs_nothing_but_numpy(folder: Path) -> None:
    code = (
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('cv2', 'torch', 'mediapipe', 'scipy', 'rich',\n"
        "                                  'onnxruntime', 'models', 'matplotlib'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
        "import numpy as np, tracker\n"
        "print(tracker.LandmarkFilter(5).update(np.ones((5, 2)), 0.0).mean.shape)"
    )
    assert run(code, folder) == "(5, 2)\n"


def test_importing_touches_neither_stderr_nor_signals_nor_opencv(folder: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]\n"
        "import cv2\n"
        "level = getattr(cv2, 'getLogLevel', None) or cv2.utils.logging.getLogLevel\n"
        "kept = level(), cv2.getNumThreads()\n"
        "where, environment = os.stat(2).st_ino, dict(os.environ)\n"
        "import models, tracker\n"
        "[getattr(tracker, name) for name in tracker.__all__]\n"
        "landmarker = models.load_landmarker()\n"
        "assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before\n"
        "assert (level(), cv2.getNumThreads()) == kept\n"
        "assert os.stat(2).st_ino == where and dict(os.environ) == environment\n"
        "print('kept')"
    )
    assert run(code, folder) == "kept\n"


def test_what_other_threads_write_to_stderr_arrives_while_frames_are_read(folder: Path) -> None:
    code = (
        "import os, threading, tracker\n"
        "stop = threading.Event()\n"
        "def write():\n"
        "    for i in range(300): os.write(2, b'line\\n')\n"
        "thread = threading.Thread(target=write)\n"
        "source = tracker.open_source('clip.mp4')\n"
        "frames = iter(source)\n"
        "thread.start()\n"
        "count = sum(1 for _ in frames)\n"
        "thread.join()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder, env=CHECKOUT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr.count("line") == 300


@pytest.fixture
def faces() -> tracker.FaceTracker:
    return tracker.FaceTracker(BlobLandmarker(), BlobDetector())


IMAGE = blob_frame([(160.0, 120.0)])


@pytest.mark.parametrize(
    ("image", "says"),
    [
        pytest.param(IMAGE[..., 0], r"got shape \(240, 320\)", id="grey"),
        pytest.param(IMAGE / 255, "got float64 values", id="float"),
        pytest.param(np.dstack([IMAGE, IMAGE[..., 0]]), r"got shape \(240, 320, 4\)", id="rgba"),
        pytest.param(IMAGE[:0], "got an empty one", id="empty"),
        pytest.param("clip.mp4", "got str", id="path"),
        pytest.param(None, "got NoneType", id="none"),
    ],
)
def test_what_is_no_picture_is_refused(
    faces: tracker.FaceTracker, image: object, says: str
) -> None:
    for call in (
        lambda: faces.update(image, 0.0),
        lambda: faces.detect(image),
        lambda: tracker.draw_faces(image, []),
    ):
        with pytest.raises(ValueError, match=rf"shape \(height, width, 3\), {says}"):
            call()
    assert len(faces.update(IMAGE, 0.0)) == 1  # and nothing is broken


def test_colours_may_come_as_opencv_has_them() -> None:
    red = np.zeros((240, 320, 3), np.uint8)
    cv2.circle(red, (160, 120), 30, (255, 0, 0), -1)  # BlobDetector sees the first channel
    faces = tracker.FaceTracker(BlobLandmarker(), BlobDetector())
    assert len(faces.update(red, 0.0)) == 1
    assert len(faces.update(red[..., ::-1], 0.1, image_format="bgr")) == 1
    assert faces.detect(red, image_format="bgr") == []
    with pytest.raises(ValueError, match='"rgb" or "bgr", got \'grey\''):
        faces.update(red, 0.2, image_format="grey")
    drawn = tracker.draw_faces(red, faces.detect(red))
    as_bgr = tracker.draw_faces(red[..., ::-1], faces.detect(red), image_format="bgr")
    np.testing.assert_array_equal(as_bgr, drawn[..., ::-1])


@pytest.mark.parametrize(
    ("time_s", "says"),
    [(0.5, "must not fall, got 0.5 after 1"), (float("nan"), "must be finite"), ("1", "got str")],
)
def test_time_is_checked_and_nothing_is_lost_by_a_wrong_one(
    faces: tracker.FaceTracker, time_s: object, says: str
) -> None:
    faces.update(IMAGE, 1.0)
    with pytest.raises(ValueError, match=says):
        faces.update(IMAGE, time_s)
    (face,) = faces.update(IMAGE, 1.0)
    assert (face.track_id, face.is_predicted) == (0, False)
    faces.reset()
    assert faces.update(IMAGE, 0.0)[0].track_id == 0


@pytest.mark.parametrize(
    ("boxes", "says"),
    [
        pytest.param([[1, 2, 3]], r"got shape \(1, 3\)", id="three-numbers"),
        pytest.param([1, 2, 3, 4], r"got shape \(4,\)", id="one-box-unwrapped"),
        pytest.param([[5, 5, 2, 9]], "got .*, which has no area", id="right-before-left"),
        pytest.param([[0, 0, np.nan, 9]], "got .*, which is not finite", id="nan"),
        pytest.param("face", "got str", id="text"),
    ],
)
def test_boxes_are_checked(faces: tracker.FaceTracker, boxes: object, says: str) -> None:
    with pytest.raises(ValueError, match=rf"left, top, right, bottom in pixels, {says}"):
        faces.update(IMAGE, 0.0, boxes=boxes)


def test_own_boxes_take_the_place_of_the_detector() -> None:
    detector = BlobDetector()
    faces = tracker.FaceTracker(BlobLandmarker(), detector)
    image = blob_frame([(80.0, 120.0), (240.0, 120.0)])
    only_left = np.array([[50.0, 80.0, 110.0, 150.0]])  # higher than wide: with a forehead
    (face,) = faces.update(image, 0.0, boxes=only_left)
    np.testing.assert_allclose(face.landmarks.mean.mean(0), [80, 120], atol=2)
    assert len(faces.update(image, 0.1, boxes=np.empty((0, 4)))) == 1  # it is followed
    assert len(faces.detect(image, boxes=only_left)) == 1
    assert detector.calls == 0
    assert len(faces.update(image, 2.0)) == 2
    assert detector.calls == 1


def test_a_box_with_a_forehead_is_taken_from_the_chin() -> None:
    tall, square = boxes_from_corners([[10, 0, 50, 60], [0, 0, 100, 100]])[::-1]
    assert (tall.center_x, tall.center_y, tall.side) == (30, 40, 40)
    assert (square.center_x, square.center_y, square.side) == (50, 50, 100)


def test_what_is_returned_cannot_reach_into_the_tracker(faces: tracker.FaceTracker) -> None:
    kept = tracker.FaceTracker(BlobLandmarker(), BlobDetector())
    for index in range(5):
        (ours,), (theirs,) = (one.update(IMAGE, index / 30) for one in (faces, kept))
        np.testing.assert_array_equal(ours.landmarks.mean, theirs.landmarks.mean)
        np.testing.assert_array_equal(ours.landmarks.covariance, theirs.landmarks.covariance)
        assert ours.measured is not None
        assert ours.measurement_noise is not None
        for array in (
            ours.landmarks.mean, ours.landmarks.covariance, ours.measured.mean,
            ours.measured.covariance, ours.measurement_noise,
        ):  # fmt: skip
            np.divide(array, 1000.0, out=array)


def test_faces_can_be_compared_and_looked_for(faces: tracker.FaceTracker) -> None:
    one, other = faces.update(IMAGE, 0.0), faces.update(IMAGE, 0.1)
    assert one[0] != other[0]
    assert one.index(one[0]) == 0
    assert len({*one, *other}) == 2


def test_a_landmarker_that_states_nonsense_is_named() -> None:
    class Negative(BlobLandmarker):
        def __call__(self, crops: np.ndarray) -> object:
            answer = super().__call__(crops)
            answer.__dict__["measurement_noise"] = -answer.measurement_noise
            return answer

    faces = tracker.FaceTracker(Negative(), BlobDetector())
    with pytest.raises(ValueError, match="measurement_noise must be positive definite"):
        faces.update(IMAGE, 0.0)


def test_vast_noise_leaves_a_face_where_it_is() -> None:
    class Vast(BlobLandmarker):
        def __call__(self, crops: np.ndarray) -> object:
            answer = super().__call__(crops)
            answer.__dict__["measurement_noise"] = 1e300 * answer.measurement_noise
            return answer

    faces = tracker.FaceTracker(Vast(), BlobDetector())
    for index in range(10):
        (face,) = faces.update(IMAGE, index / 30)
        assert face.track_id == 0
        np.testing.assert_allclose(face.landmarks.mean.mean(0), [160, 120], atol=3)


@pytest.mark.parametrize("landmarker", [None, "lite", 3])
def test_what_is_no_landmarker_is_refused(landmarker: object) -> None:
    with pytest.raises(ValueError, match=r"give what models.load_landmarker\(\) returns"):
        tracker.FaceTracker(landmarker)  # type: ignore[arg-type]


def test_two_trackers_in_two_threads_do_what_each_does_alone() -> None:
    def follow(seed: int) -> np.ndarray:
        faces = tracker.FaceTracker(BlobLandmarker(0.5, seed), BlobDetector())
        frames = [blob_frame([(100.0 + seed + 3 * i, 120.0)]) for i in range(30)]
        found = [faces.update(frame, i / 30)[0].landmarks.mean for i, frame in enumerate(frames)]
        return np.stack(found)

    results: dict[int, np.ndarray] = {}
    threads = [
        threading.Thread(target=lambda seed=seed: results.update({seed: follow(seed)}))
        for seed in (1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (1, 2):
        np.testing.assert_array_equal(results[seed], follow(seed))


def test_with_closes_the_detector_that_the_tracker_made_itself() -> None:
    landmarker = models.load_landmarker()
    for _ in range(3):
        with tracker.FaceTracker(landmarker) as faces:
            assert len(faces.detect(portrait())) == 1
            threads = len(os.listdir("/proc/self/task"))
    assert len(os.listdir("/proc/self/task")) < threads


def test_a_face_beyond_what_opencv_warps_is_measured() -> None:
    image = np.zeros((240, 34_000, 3), np.uint8)
    image[:, -320:] = blob_frame([(160.0, 120.0)])
    (face,) = tracker.FaceTracker(BlobLandmarker(), BlobDetector()).update(image, 0.0)
    np.testing.assert_allclose(face.landmarks.mean.mean(0), [34_000 - 160, 120], atol=1)


def test_a_video_can_be_iterated_twice(folder: Path) -> None:
    with tracker.open_source(folder / "clip.mp4") as video:
        once, again = list(video), list(video)
    assert len(once) == len(again) == 9
    for one, other in zip(once, again, strict=True):
        assert (one.index, one.time_s) == (other.index, other.time_s)
        np.testing.assert_array_equal(one.image, other.image)


@pytest.mark.parametrize("address", [None, 1.5, True, b"clip.mp4", ""])
def test_what_is_no_source_is_refused(address: object) -> None:
    with pytest.raises(ValueError, match="a source is a camera's index, a path or a URL, got"):
        tracker.open_source(address)  # type: ignore[arg-type]


def test_cameras_by_number_and_streams_by_url_are_opened_as_such() -> None:
    with pytest.raises(tracker.SourceError, match="camera 97: cannot be opened"):
        tracker.open_source(97)
    with pytest.raises(ValueError, match="at least 0, got -1"):
        tracker.open_source(-1)
    with pytest.raises(tracker.SourceError, match=r"rtsp://127.0.0.1:1/x: no frame can be decoded"):
        tracker.open_source("rtsp://127.0.0.1:1/x")
    with pytest.raises(tracker.SourceError, match="007: no such file"):
        tracker.open_source("007")


def test_a_video_over_http_is_read(folder: Path) -> None:
    from functools import partial  # noqa: PLC0415
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer  # noqa: PLC0415

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with tracker.open_source(f"http://127.0.0.1:{server.server_port}/clip.mpg") as video:
            assert len(list(video)) == 9
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_much_larger_face_takes_the_place_of_a_smaller_one_without_flapping() -> None:
    config = tracker.TrackerConfig(max_faces=1, detect_every_s=0.2)
    faces = tracker.FaceTracker(BlobLandmarker(), BlobDetector(), config)
    small, large = ((70.0, 120.0), 20), ((230.0, 120.0), 40)

    def frame(*discs: tuple[tuple[float, float], int]) -> np.ndarray:
        return np.max([blob_frame([center], radius=radius) for center, radius in discs], axis=0)

    ids = [faces.update(frame(small), i / 30)[0].track_id for i in range(10)]
    seen = [faces.update(frame(small, large), (10 + i) / 30) for i in range(60)]
    assert ids == [0] * 10
    assert all(len(found) == 1 for found in seen)
    order = [found[0].track_id for found in seen]
    assert order == sorted(order)  # it changes once
    assert order[-1] == 1
    assert seen[-1][0].landmarks.mean[:, 0].mean() > 200


def test_a_face_of_nearly_the_same_size_does_not() -> None:
    config = tracker.TrackerConfig(max_faces=1, detect_every_s=0.2)
    faces = tracker.FaceTracker(BlobLandmarker(), BlobDetector(), config)
    faces.update(blob_frame([(70.0, 120.0)], radius=25), 0.0)
    both = np.maximum(
        blob_frame([(70.0, 120.0)], radius=25), blob_frame([(230.0, 120.0)], radius=30)
    )
    assert {faces.update(both, i / 30)[0].track_id for i in range(60)} == {0}


def test_a_crowd_costs_no_more_than_the_faces_that_are_followed() -> None:
    sizes: list[int] = []

    class Counting(BlobLandmarker):
        def __call__(self, crops: np.ndarray) -> object:
            sizes.append(len(crops))
            return super().__call__(crops)

    crowd = np.max([blob_frame([(20.0 + 40 * i, 120.0)], radius=12) for i in range(8)], axis=0)
    config = tracker.TrackerConfig(max_faces=3)
    assert len(tracker.FaceTracker(Counting(), BlobDetector(), config).update(crowd, 0.0)) == 3
    assert max(sizes) == 3


@pytest.mark.parametrize(
    "rubbish",
    [None, [(1, 2, 3)], np.ones((2, 4)), [None], [tracker.Box(np.nan, 1.0, 50.0)],
     [tracker.Box(1.0, 1.0, np.inf)], [tracker.Box(9.0, 9.0, 0.0)]],
    ids=str,
)  # fmt: skip
def test_a_detector_that_returns_rubbish_is_named(rubbish: object) -> None:
    faces = tracker.FaceTracker(BlobLandmarker(), lambda image: rubbish)  # type: ignore[arg-type, return-value]
    for call in (lambda: faces.update(IMAGE, 0.0), lambda: faces.detect(IMAGE)):
        with pytest.raises(ValueError, match="a detector must return"):
            call()


@pytest.mark.parametrize(
    "wrong",
    [{"max_faces": 0}, {"max_faces": 1.5}, {"max_faces": None}, {"max_faces": True},
     {"smoothing": None}, {"smoothing": 2}, {"detect_every_s": np.nan}, {"remember_s": -1},
     {"keep_confidence": "0.5"}, {"upright_deg": 200}, {"replace_ratio": 1}, {"motion": {}}],
    ids=str,
)  # fmt: skip
def test_a_wrong_knob_is_named(wrong: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        tracker.TrackerConfig(**wrong)


def test_classes_and_dictionaries_are_no_parts_of_a_tracker() -> None:
    for arguments in (
        (BlobLandmarker,), (BlobLandmarker(), BlobDetector), (BlobLandmarker(), None, {}),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"landmarker|detector|TrackerConfig"):
            tracker.FaceTracker(*arguments)  # type: ignore[arg-type]


def test_only_faces_are_drawn_and_missing_landmarks_are_left_out(
    faces: tracker.FaceTracker,
) -> None:
    (face,) = faces.update(IMAGE, 0.0)
    for wrong in (None, face, [face.landmarks], [None]):
        with pytest.raises(ValueError, match="faces must be a list of Face, got"):
            tracker.draw_faces(IMAGE, wrong)  # type: ignore[arg-type]
    whole = tracker.draw_faces(IMAGE, [face], ellipses=True)
    face.landmarks.mean[40] = np.nan
    face.landmarks.covariance[41] = np.nan
    most = tracker.draw_faces(IMAGE, [face], ellipses=True)
    assert 0 < (most != IMAGE).sum() < (whole != IMAGE).sum()
    face.landmarks.mean[:] += 1e12
    np.testing.assert_array_equal(tracker.draw_faces(IMAGE, [face], ellipses=True), IMAGE)
    face.landmarks.mean[:] = np.nan
    np.testing.assert_array_equal(tracker.draw_faces(IMAGE, [face], ellipses=True), IMAGE)


def test_numbers_that_nothing_can_hold_are_refused() -> None:
    calm = tracker.LandmarkFilter(5)
    points = np.ones((5, 2))
    wrong = ((points, 10**400), (points + 1j, 0.0), (points > 0, 0.0), (1e200 * points, 0.0))
    for arguments in wrong:
        with pytest.raises(ValueError, match=r"must"):
            calm.update(*arguments)
