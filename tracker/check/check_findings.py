"""What the figures of a check mean, and what to do about each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .check_figures import CheckFigures

Verdict = Literal["good", "fair", "poor", "unknown"]
_UNKNOWN = "not known"
_OVERLOADED = 0.3
"""Share of dropped frames from which the machine may miss what the camera sends."""
_BUSY = "this machine is too busy to tell camera from machine: first see to the dropped frames"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    key: str
    title: str
    verdict: Verdict
    measured: str
    """In figures."""
    advice: str = ""
    """What to do; empty where nothing needs to be done."""


def findings_of(figures: CheckFigures, *, is_live: bool) -> list[Finding]:
    """Everything that was looked at, in the order of a frame's way.

    Args:
        figures: As measured.
        is_live: A camera, which can be asked for something else; not a file.
    """
    looked: list[Callable[[CheckFigures, bool], Finding]] = [
        _rate, _arrived, _late, _latency, _light, _flicker, _sensor, _size, _found, _noise, _turn,
        _blink, _speech,
    ]  # fmt: skip
    return [look(figures, is_live) for look in looked]


def _judged(value: float | None, good: float, fair: float) -> Verdict:
    """Of a figure that is better the smaller it is."""
    if value is None:
        return "unknown"
    return "good" if value <= good else "fair" if value <= fair else "poor"


def _finding(key: str, title: str, verdict: Verdict, measured: str, advice: str) -> Finding:
    is_fine = verdict == "good" or measured == _UNKNOWN
    return Finding(key, title, verdict, measured, "" if is_fine else advice)


def _rate(f: CheckFigures, is_live: bool) -> Finding:
    if f.rate_real is None:
        return Finding("rate", "frame rate", "unknown", "fewer than two frames came")
    if f.too_late > _OVERLOADED:
        measured = f"{f.rate_real:.1f} of {f.rate_granted:g} frames a second"
        return Finding("rate", "frame rate", "unknown", measured, _BUSY)
    share = f.rate_real / f.rate_granted
    verdict = _judged(-share, -0.9, -0.7)
    if verdict == "good" and f.rate_real < 23:
        verdict = "fair"
    measured = f"{f.rate_real:.1f} of {f.rate_granted:g} frames a second at {f.width}x{f.height}"
    if f.repeated > 0.1:
        measured += f"; {100 * f.repeated:.0f} % of the frames repeat the one before"
    advice = (
        "give the camera more light, for in the dark it exposes longer, and switch off its "
        "low-light compensation; ask for less by --size 640x480 or for more by --fps 30"
        if is_live
        else "film with a fixed rate of 30 or more, and in more light"
    )
    return _finding("rate", "frame rate", verdict, measured, advice)


def _arrived(f: CheckFigures, is_live: bool) -> Finding:
    verdict = _judged(f.missing, 0.02, 0.1)
    measured = f"{100 * f.missing:.1f} % of the frames never arrived"
    if f.too_late > _OVERLOADED:
        return Finding("missing", "missing frames", "unknown", measured, _BUSY)
    if f.damaged:
        measured, verdict = f"{measured}; {f.damaged} are damaged", "poor"
    advice = (
        "plug the camera into a port of its own, without a hub, and close what else uses it; ask "
        "for less by --size 640x480"
        if is_live
        else "copy the file anew, or film without pauses"
    )
    return _finding("missing", "missing frames", verdict, measured, advice)


def _late(f: CheckFigures, is_live: bool) -> Finding:
    if not is_live:
        return Finding("dropped", "dropped frames", "good", "none: a file waits")
    return _finding(
        "dropped", "dropped frames", _judged(f.too_late, 0.02, 0.15),
        f"{100 * f.too_late:.1f} % dropped, for tracking was not done with the one before",
        "this machine is too slow or too busy: close other programs, keep --weights lite, ask for "
        "--size 640x480 or --fps 30, follow one face by --faces largest, or use a GPU",
    )  # fmt: skip


def _latency(f: CheckFigures, is_live: bool) -> Finding:
    busy = "close other programs, keep --weights lite, ask for fewer pixels by --size"
    if is_live and f.latency_p95_ms is not None:
        return _finding(
            "latency", "latency", _judged(f.latency_p95_ms, 50, 100),
            f"{f.latency_ms:.0f} ms from frame to landmarks, 95 % within {f.latency_p95_ms:.0f} "
            "ms; the camera's own delay, a frame or two, comes on top",
            busy,
        )  # fmt: skip
    if f.work_ms is None:
        return Finding("latency", "latency", "unknown", "nothing was tracked")
    return _finding(
        "latency", "speed", _judged(f.work_ms * f.rate_granted / 1000, 0.7, 1),
        f"{f.work_ms:.0f} ms of work a frame, {1000 / max(f.work_ms, 1e-3):.0f} a second",
        f"a camera of this rate and size would lose frames here: {busy}",
    )  # fmt: skip


def _light(f: CheckFigures, _: bool) -> Finding:
    if f.bright is None or f.light is None or f.burnt is None or f.uneven is None:
        return Finding("light", "light", "unknown", "no face was seen")
    measured = (
        f"the face's mean grey level is {f.light:.0f} of 255, its brightest tenth above "
        f"{f.bright:.0f}, {100 * f.burnt:.0f} % burnt out; one half is {f.uneven:.1f} times as "
        "bright as the other"
    )
    dark, burnt = _judged(-f.bright, -90, -60), _judged(f.burnt, 0.05, 0.2)
    uneven = "fair" if f.uneven > 2 else "good"
    advice = []
    if dark != "good":
        advice.append("put a lamp or a window in front of you, not behind you")
    if burnt != "good":
        advice.append("dim the light on your face or lower the exposure")
    if uneven != "good":
        advice.append("turn towards the light, or put a second one on the other side")
    worst: Verdict = "good"
    for verdict in ("fair", "poor"):
        worst = verdict if verdict in (dark, burnt, uneven) else worst
    return _finding("light", "light", worst, measured, "; ".join(advice))


def _flicker(f: CheckFigures, _: bool) -> Finding:
    measured = _UNKNOWN if f.flicker is None else f"{f.flicker:.2f} % from frame to frame"
    return _finding(
        "flicker", "steady light", _judged(f.flicker, 1, 3), measured,
        "set the camera's anti-flicker to the mains' 50 or 60 Hz, or use daylight; switch off "
        "automatic exposure and white balance",
    )  # fmt: skip


def _sensor(f: CheckFigures, _: bool) -> Finding:
    measured = _UNKNOWN if f.sensor_noise is None else f"{f.sensor_noise:.1f} grey levels at rest"
    return _finding(
        "sensor_noise", "noise of the picture", _judged(f.sensor_noise, 4, 8), measured,
        "more light is the cure: the camera amplifies less; clean its lens",
    )  # fmt: skip


def _size(f: CheckFigures, is_live: bool) -> Finding:
    measured = "no face was seen" if f.eye_px is None else f"eyes {f.eye_px:.0f} px apart"
    return _finding(
        "eye_px", "size of the face", _judged(None if f.eye_px is None else -f.eye_px, -60, -35),
        measured,
        "come nearer" + (", or ask for more pixels by --size 1280x720" if is_live else ""),
    )  # fmt: skip


def _found(f: CheckFigures, _: bool) -> Finding:
    measured = f"in {100 * f.found:.1f} % of the frames"
    verdict, advice = (
        _judged(-f.found, -0.98, -0.9),
        "stay in the picture, without a hand before it",
    )
    if f.found == 0:
        advice = "see that the whole face is in the picture and lit, and that this is the camera"
    elif f.ids > 1:
        measured += f", with {f.ids} ids"
    if f.most_faces > 1:
        measured += f"; up to {f.most_faces} faces at once"
        if verdict == "good":
            verdict, advice = "fair", "for one person alone add --faces largest when you track"
    return _finding("found", "face", verdict, measured, advice)


def _noise(f: CheckFigures, _: bool) -> Finding:
    if f.raw_jitter is None or f.jitter is None:
        return Finding("jitter", "noise of the landmarks", "unknown", "no face was seen at rest")
    times = f" ({f.raw_jitter / f.jitter:.0f} times less)" if f.jitter > 0 else ""
    return _finding(
        "jitter", "noise of the landmarks",
        max(_judged(f.raw_jitter, 0.25, 0.6), _judged(f.jitter, 0.05, 0.15), key=_badness),
        f"{f.raw_jitter:.3f} % of the eye distance as measured, {f.jitter:.3f} % filtered{times}, "
        "at rest, the head's own motion off",
        "more light, a larger face and less compression, in this order; --smoothing 1 is calmer",
    )  # fmt: skip


def _badness(verdict: Verdict) -> int:
    return ("unknown", "good", "fair", "poor").index(verdict)


def _turn(f: CheckFigures, _: bool) -> Finding:
    if f.yaw_left_deg is None or f.yaw_right_deg is None:
        return Finding("turn", "turned head", "unknown", _UNKNOWN)
    measured = f"{f.yaw_left_deg:.0f}° to one side, {f.yaw_right_deg:.0f}° to the other"
    if f.turned_found is None:
        return Finding(
            "turn", "turned head", "unknown", measured, "turn farther to have it checked"
        )
    return _finding(
        "turn", "turned head", _judged(-f.turned_found, -0.95, -0.8),
        f"{measured}; followed in {100 * f.turned_found:.0f} % of these frames",
        "light both sides of the face; profiles beyond 60° are lost by every tracker of 68 points",
    )  # fmt: skip


def _blink(f: CheckFigures, _: bool) -> Finding:
    if f.blinks is None:
        return Finding("blinks", "blinks", "unknown", _UNKNOWN)
    verdict: Verdict = "good" if f.blinks else "unknown"
    return _finding(
        "blinks", "blinks", verdict, f"{f.blinks} seen",
        "if you did blink: come nearer, and turn glasses so that they do not mirror a lamp",
    )  # fmt: skip


def _speech(f: CheckFigures, _: bool) -> Finding:
    if f.jaw_range is None:
        return Finding("speech", "speech", "unknown", _UNKNOWN)
    return _finding(
        "speech", "speech", "good" if f.jaw_range > 0.05 else "unknown",
        f"the mouth opens by {f.jaw_range:.2f} of ARKit's jawOpen",
        "if you did speak: come nearer, and keep hands and microphone off the mouth",
    )  # fmt: skip
