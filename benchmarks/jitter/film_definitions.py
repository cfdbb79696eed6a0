"""The figures of films without truth."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FilmFigure:
    """A figure as the page shows it."""

    key: str
    title: str
    unit: str
    digits: int
    definition: str
    is_best_high: bool = False


_EYES = "% of the eye distance"
FILM_FIGURES: tuple[FilmFigure, ...] = (
    FilmFigure(
        "flow_jitter", "jitter against the picture", _EYES, 3,
        "Optical flow carries each landmark on for half a second, as late as the track is; what "
        "the track has beyond that above 5 Hz, RMS.",
    ),
    FilmFigure(
        "flow_lag_ms", "lag behind the picture", "ms", 1,
        "Delay of the flow's way at which the track's way fits best, in windows of a second in "
        "which the face does not only move evenly. Negative: ahead.",
    ),
    FilmFigure(
        "still_jitter", "jitter at rest", _EYES, 3,
        "Standard deviation over time, RMS over points, mean over the stretches of at least 0.7 s "
        "in which the flow moves the face by less than 2 % of the eye distance a second.",
    ),
    FilmFigure("still_s", "at rest", "s", 1, "Length of these stretches.", is_best_high=True),
    FilmFigure(
        "acceleration", "acceleration", f"{_EYES} / s^2", 0,
        "RMS of the second difference of landmarks over the frame interval squared.",
    ),
    FilmFigure(
        "acceleration_own", "acceleration, head's motion off", f"{_EYES} / s^2", 0,
        "The same after each frame is brought onto the mean shape by the best similarity.",
    ),
    FilmFigure(
        "high_energy", "energy above 5 Hz", "%", 2,
        "Share of the power spectrum, the linear trend taken off, with a Hann window.",
    ),
    FilmFigure("high_energy_own", "energy above 5 Hz, head's motion off", "%", 2, "The same."),
    FilmFigure(
        "nmf", "NMF against the picture", "1/100 px at 256 px", 0,
        "As in the kit, the flow's step from frame to frame in the place of the truth's.",
    ),
    FilmFigure("found", "found", "% of frames", 1, "Frames with a track.", is_best_high=True),
)  # fmt: skip
