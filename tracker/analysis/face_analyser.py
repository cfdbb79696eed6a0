"""From the faces of each frame to their head pose, eyes and expression."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..checks import checked_time
from ..face_analysis import Estimate, Eye, FaceAnalysis, HeadPose
from ..layouts import IBUG_68
from ..types import Face, LandmarkEstimate
from .blink_fusion import corrected_blinks, followed_blinks
from .calm_spread import RelativeSpread, calmed_spread, relative_spread
from .expressed import expression_of
from .expression_reading import ExpressionRead
from .eye_looks import eye_looks
from .eye_reading import EyesRead
from .face_fusion import (
    Difference,
    FusedHead,
    difference_of,
    followed_difference,
    fused,
    landmarks_alone,
    lasting,
)
from .gaze import gazes_of
from .head_fit import POSE, HeadFit, ShapePrior, farther, first_fit, next_fit
from .lids import (
    OF_EYE_NETWORK,
    LidMemory,
    blinked,
    closely_seen,
    learned,
    lid_gaps,
    openness,
    unknown_lids,
)
from .linear_face import load_linear_face
from .neutral_face import Neutral, learned_neutral
from .neutral_file import KeptNeutral
from .pinhole import DEFAULT_FOV_DEG, PinholeCamera
from .settled_identity import Identity, settled, shape_prior, unknown_identity

_FORGOTTEN_S, _SETTLES_EVERY_S = 60.0, 0.1
_LOST_COST = 6.0
"""Mean squared residual from which a fit starts anew, and at most so often in a row."""
_GAZE_FROM_OPENNESS = 0.3
_NEAREST_MM, _AND_A_LITTLE = 700.0, 1.01  # or noise would change the lens again


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What the frames so far say of one face."""

    fit: HeadFit
    """To the landmarks alone."""
    head: FusedHead
    difference: Difference | None
    """By which the network of expressions differs from it."""
    blinks: Difference | None
    """By which it differs in how far the eyes are shut."""
    identity: Identity
    settled_s: float
    """When the identity last took in a frame."""
    prior: ShapePrior
    neutral: Neutral
    lids: LidMemory
    spread: RelativeSpread
    last_s: float


class FaceAnalyser:
    """Reads head pose, eyes and expression off the faces of a video, in one thread.

    Args:
        width: Of the frames, pixels.
        height: Likewise.
        fov_deg: Field of view along the longer side, which gives distances their scale; None: 60,
            or so much less that no face is nearer than 70 cm: it may be cut out of a larger one.
        calibrate_neutral_s: Every face is neutral in its first so many seconds, and its neutral is
            final then; None learns it from what the face usually does.
        neutral: Of everybody, as `neutral()` gave it; nothing is learned then.

    Raises:
        ValueError: If a number makes no sense.
    """

    def __init__(
        self,
        width: int,
        height: int,
        *,
        fov_deg: float | None = None,
        calibrate_neutral_s: float | None = None,
        neutral: KeptNeutral | None = None,
    ) -> None:
        if min(width, height) < 1:
            raise ValueError(f"frames have a width and a height, got {width} x {height}")
        if fov_deg is not None and not 1 <= fov_deg <= 170:
            raise ValueError(f"fov_deg must lie between 1 and 170, got {fov_deg}")
        if calibrate_neutral_s is not None and not calibrate_neutral_s > 0:
            raise ValueError(f"calibrate_neutral_s must be positive, got {calibrate_neutral_s}")
        self._face, self._kept = load_linear_face(), neutral
        self._hold_s = calibrate_neutral_s if neutral is None else 0.0
        self._is_stated = fov_deg is not None
        self._widest = PinholeCamera.of_size(width, height, fov_deg or DEFAULT_FOV_DEG)
        self.reset()

    def reset(self) -> None:
        """Forget everybody, as before another video."""
        self._camera = self._widest
        self._known: dict[int, _Known] = {}
        self._last_s = -np.inf

    def neutral(self) -> KeptNeutral | None:
        """Of the face that was seen longest; None where there was none."""
        if not self._known:
            return None
        known = max(self._known.values(), key=lambda known: known.neutral.seen_s)
        levels = dict(zip(known.head.names, known.neutral.level.tolist(), strict=True))
        return KeptNeutral(levels, known.lids.open_gap if known.lids.is_close else None)

    def analyse(
        self,
        faces: Iterable[Face],
        time_s: float,
        *,
        eyes: Mapping[int, EyesRead] | None = None,
        expressions: Mapping[int, ExpressionRead] | None = None,
    ) -> list[Face]:
        """The same faces with their `analysis`.

        Args:
            faces: Of the next frame, as `FaceTracker.update` reports them; those of another layout
                than the 68 points stay without analysis.
            time_s: Of the frame; never falls.
            eyes: What the network of the eyes says (`read_eyes`), by track id; without it there is
                no gaze, and openness and blinks come from the landmarks of the lids.
            expressions: What the network of expressions says (`read_expressions`), likewise;
                without it head pose and expression come from the landmarks alone.

        Raises:
            ValueError: If the time falls.
        """
        self._last_s = time_s = checked_time(time_s, self._last_s)
        seen_eyes, seen_faces = eyes or {}, expressions or {}
        analysed = [
            self._analysed(
                face, time_s, seen_eyes.get(face.track_id), seen_faces.get(face.track_id)
            )
            for face in faces
        ]
        self._known = {
            i: known for i, known in self._known.items() if time_s - known.last_s <= _FORGOTTEN_S
        }
        return analysed

    def _analysed(
        self, face: Face, time_s: float, eyes: EyesRead | None, read: ExpressionRead | None
    ) -> Face:
        layout, seen = face.layout, face.landmarks
        if layout is None or layout.name != self._face.layout or not _is_whole(seen):
            return face
        known, gaps = self._followed(face, time_s, eyes, read)
        right, left = (openness(known.lids, gap) for gap in gaps)
        lids, blink = blinked(known.lids, right, left, time_s)
        blinks = lasting(followed_blinks(known.blinks, read, (right, left), time_s), time_s)
        self._known[face.track_id] = replace(known, lids=lids, blinks=blinks)
        right_eye, left_eye = self._eyes(known.head.fit, (right, left), eyes)
        analysis = FaceAnalysis(
            pose=self._pose(known.head.fit),
            left_eye=left_eye,
            right_eye=right_eye,
            expression=expression_of(
                self._face, known.head, known.neutral, corrected_blinks((right, left), blinks)
            )
            | eye_looks(known.head.fit.rotation, right_eye, left_eye),
            blink=blink,
        )
        return replace(face, analysis=analysis)

    def _followed(
        self, face: Face, time_s: float, eyes: EyesRead | None, read: ExpressionRead | None
    ) -> tuple[_Known, np.ndarray]:
        """Fit this frame, and let what is known of the person settle; and the gaps of the lids."""
        linear, seen = self._face, face.landmarks
        before = self._known.get(face.track_id)
        if before:
            spread, seen = calmed_spread(before.spread, seen, time_s - before.last_s)
        else:
            spread = relative_spread(seen)
        nobody = unknown_identity(linear)
        prior = before.prior if before else shape_prior(linear, nobody)
        if before and before.fit.cost < _LOST_COST:
            fit = next_fit(linear, seen, self._camera, prior, before.fit)
        else:
            fit = first_fit(linear, seen, self._camera, prior)
        fit = self._at_distance(fit)
        head, difference = self._corrected(fit, read, before, time_s)
        if before is None:
            neutral, lids = self._at_first(fit, head, has_eyes=eyes is not None)
            known = _Known(
                fit, head, difference, None, nobody, -np.inf, prior, neutral, lids, spread, time_s
            )
        else:
            known = replace(
                before, fit=fit, head=head, difference=difference, spread=spread, last_s=time_s
            )
        gaps = closely_seen(eyes) if eyes else lid_gaps(linear, fit, seen, self._camera)
        if face.is_believed:
            known = self._learned(known, gaps[:, 0], time_s - before.last_s if before else 0.0)
        return known, gaps

    def _corrected(
        self, fit: HeadFit, read: ExpressionRead | None, before: _Known | None, time_s: float
    ) -> tuple[FusedHead, Difference | None]:
        """The fit corrected by what the network of expressions sees, followed over time."""
        last = before.difference if before else None
        if read is not None:
            now = difference_of(self._face, fit, self._camera, read, time_s)
            last = followed_difference(last, now) if last else now
        last = lasting(last, time_s)
        if last is None:
            return landmarks_alone(self._face, fit), None
        return fused(self._face, fit, last, before.head if before else None), last

    def _at_first(
        self, fit: HeadFit, head: FusedHead, *, has_eyes: bool
    ) -> tuple[Neutral, LidMemory]:
        """Of a face that was not seen before."""
        linear, kept = self._face, self._kept
        lids = OF_EYE_NETWORK if has_eyes else unknown_lids(linear, fit)
        if kept is None:
            return Neutral(np.zeros(len(head.names))), lids
        if has_eyes and kept.open_gap is not None:
            lids = replace(lids, open_gap=kept.open_gap, seen_s=1.0)
        return Neutral(np.array([kept.levels.get(name, 0.0) for name in head.names])), lids

    def _at_distance(self, fit: HeadFit) -> HeadFit:
        """Of a supposed lens: suppose a longer one where a face would be too near."""
        distance_mm = float(fit.translation_mm[2])
        if self._is_stated or distance_mm >= _NEAREST_MM:
            return fit
        factor = _AND_A_LITTLE * _NEAREST_MM / distance_mm
        self._camera = self._camera.narrowed(factor)
        self._known = {
            i: replace(known, fit=farther(known.fit, factor)) for i, known in self._known.items()
        }
        return farther(fit, factor)

    def _learned(self, known: _Known, gaps: np.ndarray, passed_s: float) -> _Known:
        """What a frame that is believed adds to what is known of the person."""
        linear, fit = self._face, known.fit
        known = replace(
            known,
            neutral=learned_neutral(known.neutral, known.head.values, passed_s, self._hold_s),
            lids=learned(known.lids, gaps, passed_s, self._hold_s),
        )
        since_s = known.last_s - known.settled_s
        if since_s < _SETTLES_EVERY_S:
            return known
        identity = settled(
            linear, known.identity, fit, known.prior, since_s if np.isfinite(since_s) else None
        )
        return replace(
            known,
            identity=identity,
            settled_s=known.last_s,
            prior=shape_prior(linear, identity),
        )

    def _pose(self, fit: HeadFit) -> HeadPose:
        """Of the point midway between the outer eye corners."""
        corners = list(IBUG_68.eye_corners)
        shape = self._face.mean[corners] + self._face.basis[corners] @ fit.shape
        place = fit.translation_mm + fit.rotation @ shape.mean(0)
        return HeadPose(fit.rotation, place, fit.covariance[:POSE, :POSE])

    def _eyes(
        self, fit: HeadFit, opened: tuple[Estimate, Estimate], seen: EyesRead | None
    ) -> list[Eye]:
        """Of the right and the left eye; what is shut has no pupil and looks nowhere."""
        if seen is None:
            return [Eye(one, None, None, None, None) for one in opened]
        gazes, deviations = gazes_of(
            self._face, fit, self._camera, seen.pupil, seen.pupil_covariance
        )
        return [
            Eye(one, pupil.copy(), covariance.copy(), gaze, float(deviation))
            if one.value >= _GAZE_FROM_OPENNESS
            else Eye(one, None, None, None, None)
            for one, pupil, covariance, gaze, deviation in zip(
                opened, seen.pupil, seen.pupil_covariance, gazes, deviations, strict=True
            )
        ]


def _is_whole(estimate: LandmarkEstimate) -> bool:
    return bool(np.isfinite(estimate.mean).all() and np.isfinite(estimate.covariance).all())
