"""Blinks and expression over time: virtual blinks of photographs, and clips of rendered heads."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.jitter.truth_metrics import eye_opening
from benchmarks.jitter.virtual_clips import subjects, videos_in
from tracker.analysis.analysis_networks import AnalysisNetworks
from tracker.face_analysis import Blink, FaceAnalysis
from tracker.face_tracker import FaceTracker
from tracker.io.sources import open_source
from tracker.run.analysis_stage import AnalysisSettings, AnalysisStage
from tracker.types import Frame
from train.rendered_heads import RenderedHeads, read_rendered_heads
from train.synthetic.clips import make_clip

from .head_scores import FOLLOWED

_VIRTUAL_S, _PEOPLE = 4.0, 9
_SHUT_BELOW = 0.5
"""Share of the usual gap: in these clips lids fall at once from open to shut and back."""
_APART_S = 0.15
"""A blink is found where the said and the true one are no farther apart."""
_CLIP_SIDE_PX = 320
_MOVES_FROM = 0.2
"""A coefficient whose truth reaches less does not move in a clip."""


@dataclass(frozen=True, slots=True)
class BlinkScore:
    """Of some clips."""

    true: int
    found: int
    false: int
    minutes: float


@dataclass(frozen=True, slots=True, eq=False)
class ClipReading:
    """What is said of a clip of one face; None where the face is not found."""

    times_s: np.ndarray
    said: list[FaceAnalysis | None]

    @property
    def blinks(self) -> list[Blink]:
        """In order."""
        return [one.blink for one in self.said if one is not None and one.blink is not None]


def read_clip(
    frames: Iterable[Frame],
    tracker: FaceTracker,
    readers: AnalysisNetworks,
    fov_deg: float | None = None,
) -> ClipReading:
    """Follow the one face of a clip."""
    tracker.reset()
    stage = AnalysisStage(AnalysisSettings(fov_deg), stills=False, readers=readers)
    times, said = [], []
    for frame in frames:
        analysed = stage.take(frame, tracker.update(frame.image, frame.time_s))
        times.append(frame.time_s)
        said.append(analysed[0].analysis if analysed else None)
    return ClipReading(np.array(times), said)


def virtual_blinks(data: Path, tracker: FaceTracker, readers: AnalysisNetworks) -> BlinkScore:
    """Of the demo's portrait and of photographs that no landmark network was trained on."""
    photographs = data / "300w"
    people = subjects(photographs if photographs.is_dir() else None, _PEOPLE)
    scores = []
    for person in people:
        clip = make_clip("blink", person.face, person.seed, _VIRTUAL_S)
        gap = eye_opening(clip.truth[:, 0], clip.layout)
        reading = read_clip(clip.frames(), tracker, readers)
        scores.append(matched_blinks(gap < _SHUT_BELOW * np.median(gap), reading))
    return _total(scores)


def clip_scores(
    folder: Path, tracker: FaceTracker, readers: AnalysisNetworks
) -> tuple[BlinkScore, dict[str, float]]:
    """Blinks in clips of rendered heads, and the correlation of coefficients with the truth there.

    The correlation is over all frames of all clips in which the coefficient moves.
    """
    scores: list[BlinkScore] = []
    pairs: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in FOLLOWED}
    for table in sorted(folder.glob("*.csv")):
        heads = read_rendered_heads(table)
        fov_deg = float(np.degrees(2 * np.arctan(_CLIP_SIDE_PX / 2 / heads.focal_px[0])))
        with open_source(str(table.with_suffix(".mp4"))) as video:
            reading = read_clip(video, tracker, readers, fov_deg)
        truths = {name: _truth(heads, name) for name in FOLLOWED}
        shut = np.minimum(truths["eyeBlinkLeft"], truths["eyeBlinkRight"]) > _SHUT_BELOW
        scores.append(matched_blinks(shut, reading))
        for name, truth in truths.items():
            if np.ptp(truth) < _MOVES_FROM:
                continue
            for value, analysis in zip(truth.tolist(), reading.said, strict=True):
                if analysis is not None and name in analysis.expression:
                    pairs[name][0].append(value)
                    pairs[name][1].append(analysis.expression[name].value)
    followed = {
        name: float(np.corrcoef(true, said)[0, 1]) if true else float("nan")
        for name, (true, said) in pairs.items()
    }
    return _total(scores), followed


def film_blinks(folder: Path, tracker: FaceTracker, readers: AnalysisNetworks) -> list[list[str]]:
    """For each film: its name, how many minutes of faces, and when which blinks are said."""
    rows = []
    for path in videos_in(folder):
        tracker.reset()
        stage = AnalysisStage(AnalysisSettings(), stills=False, readers=readers)
        seen, blinks = 0, []
        with open_source(str(path)) as film:
            for frame in film:
                for face in stage.take(frame, tracker.update(frame.image, frame.time_s)):
                    seen += 1
                    if face.analysis is not None and face.analysis.blink is not None:
                        blinks.append(f"{face.analysis.blink.open_s:.2f}")
            rows.append([path.name, f"{seen / film.frame_rate / 60:.2f}", ", ".join(blinks)])
    return rows


def _truth(heads: RenderedHeads, name: str) -> np.ndarray:
    """Of a clip; `browInnerUp` is the mean of both brows'."""
    columns = [i for i, known in enumerate(heads.names) if known.startswith(name)]
    return np.asarray(heads.coefficients[:, columns].mean(1))


def matched_blinks(shut: np.ndarray, reading: ClipReading) -> BlinkScore:
    """True blinks that open again within the clip against those that were said."""
    times = reading.times_s
    changes = np.flatnonzero(np.diff(shut.astype(int), prepend=0)).tolist()
    true = [(times[a], times[b]) for a, b in zip(changes[::2], changes[1::2], strict=False)]
    at_the_end = times[changes[-1]] if len(changes) % 2 else np.inf  # is judged neither way
    left = [blink for blink in reading.blinks if blink.shut_s < at_the_end - _APART_S]
    found = 0
    for shut_s, open_s in true:
        near = [
            blink
            for blink in left
            if blink.shut_s < open_s + _APART_S and blink.open_s > shut_s - _APART_S
        ]
        found += bool(near)
        left = [blink for blink in left if blink not in near[:1]]
    return BlinkScore(len(true), found, len(left), float(times[-1]) / 60)


def _total(scores: list[BlinkScore]) -> BlinkScore:
    return BlinkScore(
        sum(one.true for one in scores),
        sum(one.found for one in scores),
        sum(one.false for one in scores),
        sum(one.minutes for one in scores),
    )
