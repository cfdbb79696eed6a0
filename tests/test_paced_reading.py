"""Networks of an analysis read in turns, and at once what moves."""

from dataclasses import replace

import numpy as np
import pytest
from posed_faces import HEIGHT, WIDTH, seen

from tracker.analysis.analysis_networks import AnalysisNetworks
from tracker.analysis.head_fit import first_fit, next_fit
from tracker.analysis.linear_face import LinearFace
from tracker.analysis.paced_reading import PacedReading
from tracker.analysis.pinhole import PinholeCamera
from tracker.analysis.settled_identity import shape_prior, unknown_identity
from tracker.types import Face, Frame, LandmarkEstimate

NAMES = ("jawOpen", "browDownLeft")


class Eyes:
    """Says of all eyes what it is told, with the pupil 3 px beside the middle of the crop."""

    def __init__(self) -> None:
        self.shut, self.calls = 0.0, 0

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        self.calls += 1
        answer = np.array([22.5, 19.5, 1.0, 0.0, 1.0, self.shut, 0.02])
        return np.tile(answer, (len(crops), 1))


class Expressions:
    names = NAMES
    usual = np.array([[0.1, 0.1], [0.2, 0.2]])

    def __init__(self) -> None:
        self.jaw, self.calls = 0.0, 0

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        self.calls += 1
        answer = np.array([self.jaw, 0, 0.1, 0.1, 0, 0, 0, 0.1, 0.1, 0.1])
        return np.tile(answer, (len(crops), 1))


def frame_at(time_s: float) -> Frame:
    return Frame(round(30 * time_s), time_s, np.zeros((HEIGHT, WIDTH, 3), np.uint8))


def reads(reading: PacedReading, networks: AnalysisNetworks, face: Face, at: range) -> list[str]:
    """Of each frame at 30 a second, which networks read it."""
    eyes, expressions, said = networks.eyes, networks.expressions, []
    assert isinstance(eyes, Eyes)
    assert isinstance(expressions, Expressions)
    for index in at:
        before = eyes.calls, expressions.calls
        reading.read(frame_at(index / 30), [face])
        said.append("e" * (eyes.calls - before[0]) + "x" * (expressions.calls - before[1]))
    return said


def test_a_calm_face_is_read_in_turns_and_the_first_frame_at_once(linear: LinearFace) -> None:
    networks = AnalysisNetworks(Eyes(), Expressions())
    reading = PacedReading(networks, stills=False)
    said = reads(reading, networks, seen(linear), range(100))
    assert said[0] == "ex"
    assert set(said[1:]) == {"e", "x", ""}  # never both
    assert said[60:].count("e") == 20
    assert said[60:].count("x") == 10


def test_eyes_are_read_in_every_frame_while_a_lid_moves(linear: LinearFace) -> None:
    eyes = Eyes()
    networks = AnalysisNetworks(eyes, Expressions())
    reading, face = PacedReading(networks, stills=False), seen(linear)
    reads(reading, networks, face, range(20))
    said = []
    for index, shut in enumerate((0.3, 0.6, 0.9, 0.5, 0.1, 0.1), start=20):
        eyes.shut = shut
        said += reads(reading, networks, face, range(index, index + 1))
    assert all("e" in one for one in said)
    assert sum("e" in one for one in reads(reading, networks, face, range(26, 30))) == 2


def test_expressions_are_read_in_every_second_frame_while_the_mouth_moves(
    linear: LinearFace,
) -> None:
    expressions = Expressions()
    networks = AnalysisNetworks(Eyes(), expressions)
    reading, face = PacedReading(networks, stills=False), seen(linear)
    reads(reading, networks, face, range(60))
    expressions.jaw = 0.5
    said = reads(reading, networks, face, range(60, 90))
    assert 13 <= sum("x" in one for one in said) <= 15


def test_eyes_that_are_not_read_are_where_their_corners_are(linear: LinearFace) -> None:
    reading = PacedReading(AnalysisNetworks(Eyes(), Expressions()), stills=False)
    face = seen(linear)
    first = reading.read(frame_at(0.0), [face]).eyes[0]
    step = np.array([7.0, -4.0])
    moved = LandmarkEstimate(face.landmarks.mean + step, face.landmarks.covariance)
    second = reading.read(frame_at(1 / 30), [replace(face, landmarks=moved)]).eyes[0]
    np.testing.assert_allclose(second.pupil, first.pupil + step, atol=1e-6)
    np.testing.assert_allclose(second.pupil_covariance, first.pupil_covariance, atol=1e-9)


def test_every_still_and_every_new_face_is_read(linear: LinearFace) -> None:
    networks = AnalysisNetworks(Eyes(), Expressions())
    stills = PacedReading(networks, stills=True)
    assert reads(stills, networks, seen(linear), range(3)) == ["ex"] * 3
    video = PacedReading(networks, stills=False)
    video.read(frame_at(0.0), [seen(linear)])
    other = replace(seen(linear), track_id=7)
    assert set(video.read(frame_at(1 / 30), [seen(linear), other]).eyes) == {0, 7}


@pytest.mark.parametrize("turned_by_rad", [0.005, 0.2])
def test_a_fit_that_goes_on_comes_where_one_from_the_start_does(
    linear: LinearFace, turned_by_rad: float
) -> None:
    camera = PinholeCamera.of_size(WIDTH, HEIGHT)
    prior = shape_prior(linear, unknown_identity(linear))
    cosine, sine = np.cos(turned_by_rad), np.sin(turned_by_rad)
    rotation = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    before = seen(linear, jawOpen=0.3).landmarks
    after = seen(linear, rotation, (4, 2, 705), jawOpen=0.5).landmarks
    fit = first_fit(linear, before, camera, prior)
    followed = fit
    for _ in range(4):
        followed = next_fit(linear, after, camera, prior, followed)
    anew = first_fit(linear, after, camera, prior)
    is_held = followed.linearised is fit.linearised
    assert is_held == (turned_by_rad < 0.03)
    np.testing.assert_allclose(followed.rotation, anew.rotation, atol=2e-3)
    np.testing.assert_allclose(followed.translation_mm, anew.translation_mm, rtol=3e-3, atol=0.3)
    np.testing.assert_allclose(followed.shape, anew.shape, atol=0.1)
