"""Figures of trackers and filters on real films, with and without truth."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...harness import side_by_side
from ..film.film_figures import Figures, film_figures
from ..film.film_tracks import film_track
from ..film.picture_motion import flow_steps
from ..kit.kit_folder import Kit, KitClip
from ..plugins import example_filters
from ..plugins.filter_runs import filtered_tracks, load_filter
from ..plugins.tracker_runs import recorded
from ..score.method_runs import load_tracker, short_name
from ..score.scoreboard import score
from ..tracks.track_files import ClipTrack, TrackSet
from .rank_agreement import Table
from .real_films import RealFilm


@dataclass(frozen=True, slots=True)
class FilmWork:
    """A film, and what is to be tried on it."""

    film: RealFilm
    trackers: tuple[str, ...]
    filters: tuple[str, ...]
    """Over the tracks of the first tracker."""
    seconds: float


Answers = dict[str, dict[str, Figures]]
"""By `film` (against the picture's motion) or `truth`, and by method."""


def real_tables(
    films: Sequence[RealFilm], trackers: Sequence[str], filters: Sequence[str], seconds: float
) -> dict[str, Table]:
    """By figure (`film …` against the picture's motion, `truth …` against annotators), by method.

    Args:
        films: All of them.
        trackers: As `--tracker` takes them.
        filters: As `--filter` takes them, over the tracks of the first tracker.
        seconds: Of each film, from its start.

    Raises:
        FaceTrackError: If a film cannot be decoded, or a tracker or filter is not there.
    """
    for name in filters:
        load_filter(name, example_filters.ALL)
    for name in trackers:
        load_tracker(name)
    works = [FilmWork(film, tuple(trackers), tuple(filters), seconds) for film in films]
    tables: dict[str, Table] = {}
    for film, answers in zip(films, side_by_side(measured_film, works, "films"), strict=True):
        for source, methods in answers.items():
            for method, figures in methods.items():
                for key, value in figures.items():
                    table = tables.setdefault(f"{source} {key}", {})
                    table.setdefault(method, {})[film.name] = value
    return tables


def measured_film(work: FilmWork) -> Answers:
    """All methods on one film.

    Raises:
        FaceTrackError: If the film cannot be decoded.
    """
    clip = work.film.clip(work.seconds)
    raw_of = {
        short_name(name): recorded(
            load_tracker(name)(), work.film.frames(work.seconds), short_name(name)
        )
        for name in work.trackers
    }
    methods = {name: (track, name) for name, track in raw_of.items()}
    first = short_name(work.trackers[0])
    kit = Kit(Path(), {}, (clip,))
    for name in work.filters if len(raw_of[first].frames) else ():
        plugged = load_filter(name, example_filters.ALL)
        smoothed = filtered_tracks(
            kit, TrackSet(first, {clip.name: raw_of[first]}), plugged, plugged.default
        )
        methods[smoothed.name] = (smoothed.clips[clip.name], first)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means over frames without a track
        answers = {"film": _against_picture(work, clip, methods)}
        if work.film.truth is not None:
            answers["truth"] = {
                name: score(kit, TrackSet(name, {clip.name: track})).of_clips[clip.name][1]
                for name, (track, _) in methods.items()
                if len(track.frames)
            }
    return answers


def _against_picture(
    work: FilmWork, clip: KitClip, methods: dict[str, tuple[ClipTrack, str]]
) -> dict[str, Figures]:
    """The flow is measured where the tracker's raw landmarks are, also for what smooths them."""
    count, found = len(clip.times_s), {}
    tracked = {
        name: film_track(name, track, count)
        for name, (track, _) in methods.items()
        if len(track.frames)
    }
    raw_names = dict.fromkeys(raw for name, (_, raw) in methods.items() if name in tracked)
    steps = {
        raw: flow_steps(work.film.frames(work.seconds), tracked[raw].points) for raw in raw_names
    }
    if not tracked:
        return {}
    eye_px = float(np.median([one.eye_px for one in tracked.values()]))
    for name, one in tracked.items():
        found[name] = film_figures(clip.times_s, one.points, steps[methods[name][1]], eye_px)
    return found
