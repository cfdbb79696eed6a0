"""Every figure of the kit: what it is, in which unit, and why anybody should care."""

from dataclasses import dataclass
from typing import Literal

RIGID_KINDS = ("pan", "zoom", "roll", "shake", "walk-up", "variable", "dropped")
"""Of the clips in which the whole face moves as one, to and fro."""
MOVING_KINDS = (*RIGID_KINDS, "drift", "step", "talking")
TURNING_KINDS = ("turn",)
HARD_KINDS = ("covering", "dark", "exposure", "compression", "crossing")
HIDING_KINDS = ("covering", "crossing")
REAL_KIND = "real"
"""Of films that somebody annotated; no kit has them."""
ALL_KINDS = ("still", "blink", "mouth", *MOVING_KINDS, *TURNING_KINDS, *HARD_KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureDefinition:
    """A figure as tables and the page of rules show it."""

    key: str
    title: str
    unit: str
    kinds: tuple[str, ...]
    """Of the clips that have it."""
    better: Literal["lower", "higher", "one", "ninety"]
    """Which value is best: none of the directions, where a number is right."""
    definition: str
    reason: str
    digits: int = 2


_EYES = "% of the eye distance"

FIGURES: tuple[FigureDefinition, ...] = (
    FigureDefinition(
        key="jitter", title="jitter", unit=_EYES, kinds=("still",), better="lower", digits=3,
        definition="Standard deviation of each point over the frames after the first second, "
        "x and y together (root of the sum of both variances); RMS over the points.",
        reason="What is seen first: points that tremble on a face that holds still.",
    ),
    FigureDefinition(
        key="drift", title="drift", unit=_EYES, kinds=("still",), better="lower", digits=3,
        definition="After the first second: distance between the mean place of each point in the "
        "first third and in the last third of what is left; RMS over the points.",
        reason="A strong filter may hide jitter as a slow wandering.",
    ),
    FigureDefinition(
        key="settling_ms", title="settling", unit="ms", kinds=("still",), better="lower",
        digits=0,
        definition="Time from the first frame after which the jitter within the half second that "
        "follows is below twice the level of the last third of the clip.",
        reason="A filter that needs seconds to become calm is not calm after each blink or cut.",
    ),
    FigureDefinition(
        key="lag_ms", title="lag", unit="ms", kinds=RIGID_KINDS, better="lower", digits=1,
        definition="The delay of the truth, -100 to 500 ms in steps of 0.1, at which the track is "
        "nearest to it by least squares; the mean of each point's residual over time is taken off "
        "first; the first half second does not count. Negative: ahead of the truth.",
        reason="What smoothing costs: a mask that trails behind the face.",
    ),
    FigureDefinition(
        key="step_50_ms", title="step, 50 %", unit="ms", kinds=("step",), better="lower", digits=0,
        definition="The middle of the points along the line of a quick move: how much later than "
        "the truth it passes half the way; median over the moves of a clip.",
        reason="Lag in a sudden start, where filters that adapt to speed are slowest.",
    ),
    FigureDefinition(
        key="step_90_ms", title="step, 90 %", unit="ms", kinds=("step",), better="lower", digits=0,
        definition="The same for nine tenths of the way.",
        reason="How long the face has arrived before the track has.",
    ),
    FigureDefinition(
        key="moving_error", title="moving error", unit=_EYES, kinds=MOVING_KINDS, better="lower",
        definition="Distance to the truth with the offset of conventions, after the first second; "
        "RMS over points and frames.",
        reason="Jitter, lag and overshoot in one figure, for a face that moves.",
    ),
    FigureDefinition(
        key="turned_error", title="error, turning", unit=_EYES, kinds=TURNING_KINDS, better="lower",
        definition="The same in clips whose head turns in depth. Where two conventions put a point "
        "at different depths, a turn shows it as an error that is the same for every filter.",
        reason="Profiles are where trackers let go of a face.",
    ),
    FigureDefinition(
        key="hard_error", title="error, hard", unit=_EYES, kinds=HARD_KINDS, better="lower",
        definition="The same in clips that are dark, badly compressed, lit unevenly or partly "
        "covered; points that cannot be seen do not count.",
        reason="Trackers differ least where the light is good.",
    ),
    FigureDefinition(
        key="blink_kept", title="blink kept", unit="%", kinds=("blink",), better="higher", digits=0,
        definition="How far the lids come together at the peak of a blink, over how far they truly "
        "do; median over the blinks of a clip, at most 0.2 s after each.",
        reason="Smoothing flattens what is quick and small: expressions.",
    ),
    FigureDefinition(
        key="blink_delay_ms", title="blink delay", unit="ms", kinds=("blink",), better="lower",
        digits=1,
        definition="The delay, -100 to 300 ms, at which the true opening, scaled and shifted, "
        "fits the tracked one best by least squares.",
        reason="A lid that follows a tenth of a second later looks wrong.",
    ),
    FigureDefinition(
        key="mouth_kept", title="mouth kept", unit="%", kinds=("mouth",), better="higher", digits=0,
        definition="As for blinks, of the distance between the inner lips.",
        reason="Speech is read from the lips.",
    ),
    FigureDefinition(
        key="mouth_delay_ms", title="mouth delay", unit="ms", kinds=("mouth",), better="lower",
        digits=1, definition="As for blinks.", reason="Lips must meet the sound.",
    ),
    FigureDefinition(
        key="nmf", title="NMF", unit="1/100 px at 256 px", kinds=ALL_KINDS, better="lower",
        digits=0,
        definition="Normalised mean flicker of the LDEQ paper: 100 times the change of the error "
        "from a frame to the next over sqrt(width x height) / 256 of the true points' box; RMS "
        "over points, then over frames.",
        reason="The published figure: needs the truth, so that a lagging filter is punished.",
    ),
    FigureDefinition(
        key="found", title="found", unit="% of frames", kinds=ALL_KINDS, better="higher", digits=1,
        definition="Share of the frames in which at least half of the points can be seen that have "
        "a track whose middle is within half an eye distance of the truth's.",
        reason="A tracker that answers only when it is easy must not look calm.",
    ),
    FigureDefinition(
        key="reacquired_ms", title="re-acquired", unit="ms", kinds=HIDING_KINDS, better="lower",
        digits=0,
        definition="Where less than half of the points could be seen and then at least nine tenths "
        "can: time until the mean error is below 10 % of the eye distance; to the end of the clip "
        "where it never is.",
        reason="How long a hand or a passer-by is remembered.",
    ),
    FigureDefinition(
        key="id_switches", title="id switches", unit="per clip", kinds=HIDING_KINDS, better="lower",
        definition="How often the id of the track on a face differs from the one before it there.",
        reason="One person, one id.",
    ),
    FigureDefinition(
        key="nees", title="NEES", unit="1 is right", kinds=ALL_KINDS, better="one",
        definition="Of tracks with covariances: squared Mahalanobis distance of the error over 2, "
        "mean over points and frames after the first second. Constant offsets are taken off, so a "
        "covariance that also holds these gives less than 1.",
        reason="Whether the tracker knows how wrong it is.",
    ),
    FigureDefinition(
        key="coverage_90", title="90 % ellipse holds", unit="% of points", kinds=ALL_KINDS,
        better="ninety", digits=1,
        definition="Share of the same errors inside the ellipse of squared distance 4.605.",
        reason="The same, without the weight of a few large errors.",
    ),
    FigureDefinition(
        key="nis", title="NIS", unit="1 is right", kinds=ALL_KINDS, better="one",
        definition="Where tracks or a filter give a column `nis`: squared Mahalanobis distance of "
        "the innovation over its dimension, mean over frames after the first second.",
        reason="Whether the filter's model fits what it is fed.",
    ),
)  # fmt: skip
BY_KEY = {figure.key: figure for figure in FIGURES}
