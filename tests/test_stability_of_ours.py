"""Our tracker on the smallest kit against the stored figures, and films and pages of it."""

import re
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.harness import read_json
from benchmarks.jitter.__main__ import main
from benchmarks.jitter.film.film_figures import film_figures
from benchmarks.jitter.film.picture_motion import flow_steps
from benchmarks.jitter.kit.kit_command import takes, write_kit
from benchmarks.jitter.kit.kit_folder import Kit, KitClip, read_kit
from benchmarks.jitter.kit.kit_people import free_people
from benchmarks.jitter.plugins.tracker_runs import film_frames
from benchmarks.jitter.score.brief_scores import readme_table
from benchmarks.jitter.score.method_runs import TRACKERS, load_tracker, short_name
from benchmarks.jitter.smallest_kit import (
    STORED,
    WATCHED,
    intervals,
    our_figures,
    smallest_kit,
    worse,
)
from benchmarks.jitter.tracks.track_files import ClipTrack, TrackSet, write_tracks
from tracker.run.stability import sampled


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return smallest_kit(tmp_path_factory.mktemp("smallest") / "kit", seed=0)


def clip_of(kit: Kit, kind: str) -> KitClip:
    return next(clip for clip in kit.clips if clip.kind == kind)


def test_our_own_figures_are_not_worse_than_their_stored_interval(kit: Kit) -> None:
    assert worse(our_figures(kit), read_json(STORED)) == []


def test_a_tracker_goes_by_a_name_of_ones_own() -> None:
    named = ("ours", "package.module:make", "mine, calm=package.module:make", "lite=ours-raw")
    assert [short_name(one) for one in named] == ["ours", "make", "mine, calm", "lite"]
    assert load_tracker("lite=ours-raw") is TRACKERS["ours-raw"]


def test_a_figure_that_is_worse_than_its_interval_is_named() -> None:
    stored = {
        "figures": intervals([{"jitter": 1.0, "found": 90.0}, {"jitter": 1.1, "found": 92.0}])
    }
    assert worse({"jitter": 0.1, "found": 100.0}, stored) == []
    assert [line.split()[0] for line in worse({"jitter": 5.0, "found": 10.0}, stored)] == [
        "jitter",
        "found",
    ]
    assert worse({"found": 91.0}, stored) == ["jitter is missing"]
    assert set(read_json(STORED)["figures"]) == set(WATCHED)


def test_optical_flow_finds_the_jitter_and_the_lag_that_a_track_was_given(
    kit: Kit, tmp_path: Path
) -> None:
    """Checked where the truth is known: in an unsteady hand, and on a face that holds still."""
    people = free_people()[:1]
    write_kit(tmp_path / "shake", people, takes(people, ("shake",), 1.4, 0), "smallest", 0)
    moving, still = read_kit(tmp_path / "shake"), clip_of(kit, "still")
    clip, (truth, times) = moving.clips[0], (moving.clips[0].truth[:, 0], moving.clips[0].times_s)
    steps = flow_steps(film_frames(moving.path(clip)), truth)
    true = film_figures(times, truth, steps, clip.eye_px)
    assert abs(true["flow_lag_ms"]) < 2
    assert true["flow_jitter"] < 0.06
    late = film_figures(times, sampled(times, truth, times - 0.04), steps, clip.eye_px)
    assert late["flow_lag_ms"] == pytest.approx(40, abs=3)
    assert late["flow_jitter"] < 0.15
    sigma = 0.003 * clip.eye_px / np.sqrt(2)
    noisy = truth + np.random.default_rng(0).normal(0, sigma, truth.shape)
    found = film_figures(times, noisy, steps, clip.eye_px)
    # White noise of 0.3 %: two thirds of its power up to 15 Hz lie above 5 Hz.
    assert found["flow_jitter"] == pytest.approx(0.3 * np.sqrt(2 / 3), rel=0.1)
    assert abs(found["flow_lag_ms"]) < 3
    times, truth = still.times_s[:30], still.truth[:30, 0]
    steps = flow_steps(film_frames(kit.path(still)), truth)
    rest = film_figures(times, truth, steps, still.eye_px)
    assert "flow_lag_ms" not in rest
    assert rest["still_s"] == pytest.approx(1.0, abs=0.1)
    assert rest["still_jitter"] == pytest.approx(0, abs=1e-9)


def truth_as_tracks(kit: Kit, noise_px: float) -> TrackSet:
    rng = np.random.default_rng(1)
    made = {}
    for clip in kit.clips:
        truth = clip.truth[:, 0]
        points = truth + rng.normal(0, noise_px, truth.shape)
        made[clip.name] = ClipTrack(np.arange(len(truth)), np.zeros(len(truth), int), points)
    return TrackSet("noisy", made)


def test_scores_print_and_make_a_page_without_network(
    kit: Kit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tracks(tmp_path / "noisy", truth_as_tracks(kit, 0.3))
    page, figures, few = (tmp_path / name for name in ("page.html", "figures.json", "few.json"))
    main(
        ["score", str(kit.folder), f"<Noisy>={tmp_path / 'noisy'}", "--filter", "exponential",
         "--page", str(page), "--json", str(figures), "--brief", str(few)]
    )  # fmt: skip
    assert "<Noisy> + exponential" in capsys.readouterr().out
    text = page.read_text("utf-8")
    assert "http" not in text.replace("http-equiv", "")
    assert "<Noisy>" not in text
    assert text.count("<svg") == text.count("</svg>") >= 5
    assert not re.search(r"\bnan\b|None", re.sub(r"<script>.*</script>", "", text, flags=re.S))
    found = read_json(figures)["methods"]
    before, after = (
        found[name]["jitter"]["value"] for name in ("<Noisy>", "<Noisy> + exponential")
    )
    noise = [100 * 0.3 * np.sqrt(2) / clip.eye_px for clip in kit.clips if clip.kind == "still"]
    assert before == pytest.approx(np.mean(noise), rel=0.05)
    assert after < before / 2
    kept = read_json(few)
    assert kept["methods"] == found
    assert kept["equal_lag"]["exponential"]["50"] <= kept["equal_lag"]["exponential"]["20"]
    heading, _, *rows = readme_table(kept)
    assert heading.startswith("| tracks | jitter, % of the eye distance |")
    assert [row.split(" | ")[0] for row in rows] == ["| <Noisy>", "| <Noisy> + exponential"]
    assert rows[0].split(" | ")[1].startswith(f"{before:.3f} (")  # of two clips, with its interval
    main(["page", str(figures), str(tmp_path / "again.html")])
    assert (tmp_path / "again.html").read_text("utf-8") == text


def test_a_film_is_compared_and_drawn_side_by_side(
    kit: Kit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pan = clip_of(kit, "pan")
    write_tracks(tmp_path / "a", truth_as_tracks(kit, 0.0))
    write_tracks(tmp_path / "b", truth_as_tracks(kit, 0.5))
    film, video = kit.path(pan), tmp_path / "side.mp4"
    sources = [f"{name}={tmp_path / name / pan.name}.csv" for name in "ab"]
    main(["film", str(film), *sources, "--video", str(video), "--page", str(tmp_path / "p.html")])
    assert "jitter against the picture" in re.sub(r"\s+", " ", (tmp_path / "p.html").read_text())
    assert len(capsys.readouterr().out.splitlines()) > 4
    with av.open(str(video)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(pictures) == len(pan.times_s)
    assert pictures[0].shape == (480, 960, 3)


def test_what_cannot_be_scored_ends_in_one_line(
    kit: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    for flags, told in (
        ([], "nothing to score: name tracks, a --tracker or a --command"),
        (["--tracker", "nowhere:make"], "nowhere cannot be imported"),
        (["--command", "prog {clip}"], "must have {clip} and {csv} in it"),
        (["--command", "/no/such/program {clip} {csv}"], "cannot be run (No such file"),
        (["--filter", "best"], "--filter best: choose one of ours, one-euro"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(["score", str(kit.folder), *flags])
        assert stopped.value.code == 2
        assert told in capsys.readouterr().err
