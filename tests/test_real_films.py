"""Real films: their published formats, and whether ranks agree."""

import json
from pathlib import Path

import numpy as np
import pytest
from fakes import blob_frame, write_video

from benchmarks.harness import save_json
from benchmarks.jitter.__main__ import main
from benchmarks.jitter.plugins.plugin_loading import PluggedFace, PluggedTracker
from benchmarks.jitter.real.rank_agreement import agreement
from benchmarks.jitter.real.real_films import films_of_300vw, films_of_wflw_v
from benchmarks.jitter.score.point_maps import map_of
from tracker.errors import FaceTrackError

FRAMES = 32
RADIUS = 30.0


def place(n: int) -> np.ndarray:
    """Of the disc's middle in a frame: it rests, then goes to and fro."""
    return np.array([150 + 25 * np.sin(max(n - 12, 0) / 4), 120.0])


def shape() -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 68, endpoint=False)
    points = np.stack([np.cos(angles), np.sin(angles)], -1)
    points[36], points[45] = (-1, 0), (1, 0)
    return 0.9 * RADIUS * points


def film(path: Path) -> None:
    rng = np.random.default_rng(0)
    speckles = cv_noise(rng)
    images = []
    for n in range(FRAMES):
        image = blob_frame([tuple(place(n))], radius=RADIUS)
        shifted = np.roll(speckles, round(place(n)[0] - 150), 1)
        images.append(np.where(image > 128, shifted, image).astype(np.uint8))
    write_video(path, images)


def cv_noise(rng: np.random.Generator) -> np.ndarray:
    coarse = rng.integers(130, 255, (60, 80, 1))
    return np.repeat(np.repeat(np.repeat(coarse, 4, 0), 4, 1), 3, 2)


def make_300vw(folder: Path) -> None:
    annotations = folder / "001" / "annot"
    annotations.mkdir(parents=True)
    film(folder / "001" / "vid.avi")
    for n in range(FRAMES):
        if n == 5:
            continue  # some frames of the data set have none
        points = place(n) + shape() + 1  # its pixels are counted from 1
        rows = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points)
        (annotations / f"{n + 1:06d}.pts").write_text(
            f"version: 1\nn_points:  68\n{{\n{rows}\n}}\n"
        )


def blob_tracker(noise_px: float, late: int) -> PluggedTracker:
    """Knows where the disc is, with noise and so many frames late."""
    rng, seen = np.random.default_rng(1), []

    def follow(image: np.ndarray, _: float) -> list[PluggedFace]:
        seen.append(len(seen))
        at = place(max(seen[-1] - late, 0))
        return [PluggedFace(at + shape() + rng.normal(0, noise_px, (68, 2)))]

    return follow


def calm() -> PluggedTracker:
    return blob_tracker(0.02, 0)


def rough() -> PluggedTracker:
    return blob_tracker(0.5, 1)


def wild() -> PluggedTracker:
    return blob_tracker(2.0, 2)


def test_300vw_is_read_with_its_frames_and_pixels_counted_from_one(tmp_path: Path) -> None:
    make_300vw(tmp_path)
    (one,) = films_of_300vw(tmp_path)
    clip = one.clip(100.0)
    assert clip.name == "300vw-001"
    assert clip.truth.shape == (FRAMES, 1, 68, 2)
    np.testing.assert_allclose(clip.truth[20, 0], place(20) + shape(), atol=1e-2)
    assert np.flatnonzero(~clip.visible[:, 0].all(-1)).tolist() == [5]
    assert len(one.clip(0.8).times_s) == 25
    with pytest.raises(FaceTrackError, match="holds no 300-VW"):
        films_of_300vw(tmp_path / "001")


def test_wflw_v_is_read_from_98_points_and_other_shapes_are_refused(tmp_path: Path) -> None:
    for name in ("videos", "landmarks"):
        (tmp_path / name).mkdir()
    film(tmp_path / "videos" / "ab-1.mp4")
    points = np.random.default_rng(0).uniform(0, 200, (FRAMES, 98, 2))
    np.save(tmp_path / "landmarks" / "ab-1.npy", points)
    (one,) = films_of_wflw_v(tmp_path)
    wanted = map_of(98, "here")
    truth = one.clip(100.0).truth[:, 0]
    np.testing.assert_allclose(wanted.truth(truth), points[:, list(wanted.used)])
    np.save(tmp_path / "landmarks" / "ab-1.npy", points[:, :68])
    with pytest.raises(
        FaceTrackError, match=rf"frames x 98 points x 2, and holds \({FRAMES}, 68, 2\)"
    ):
        films_of_wflw_v(tmp_path)


def test_equal_orders_correlate_fully_and_reversed_ones_inversely() -> None:
    def table(*means: float) -> dict[str, dict[str, float]]:
        return {
            f"m{n}": {f"c{c}": mean + c / 100 for c in range(4)} for n, mean in enumerate(means)
        }

    same = agreement(table(1, 2, 3, 4), table(10, 20, 30, 40))
    assert same is not None
    assert (same.spearman, same.kendall, same.spearman_low) == (1, 1, 1)
    reversed_ = agreement(table(1, 2, 3, 4), table(4, 3, 2, 1))
    assert reversed_ is not None
    assert reversed_.kendall == -1
    # By hand: of six pairs one is swapped, (5 - 1) / 6; squared rank differences 1 + 1.
    near = agreement(table(1, 2, 3, 4), table(1, 2, 4, 3))
    assert near is not None
    assert near.kendall == pytest.approx(4 / 6)
    assert near.spearman == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert agreement(table(1, 2), table(1, 2)) is None
    noisy = table(1, 2, 3, 4)
    noisy["m0"] = {"c0": -20.0, "c1": 20.0, "c2": 6.0, "c3": 3.0}
    unsure = agreement(noisy, table(1, 2, 3, 4))
    assert unsure is not None
    assert unsure.spearman_low < unsure.spearman <= unsure.spearman_high


def test_methods_are_ranked_on_virtual_clips_and_on_real_films_with_truth(tmp_path: Path) -> None:
    make_300vw(tmp_path / "vw")
    figures = {"calm": 1.0, "rough": 2.0, "wild": 3.0}
    of_clips = {
        name: {f"still_{c}": {"jitter": value + c, "nmf": value} for c in range(3)}
        for name, value in figures.items()
    }
    save_json(tmp_path / "v.json", {"of_clips": of_clips})
    page, ranks = tmp_path / "ranks.html", tmp_path / "ranks.json"
    flags = ["real", str(tmp_path / "v.json"), "--300vw", str(tmp_path / "vw")]
    for name in figures:
        flags += ["--tracker", f"test_real_films:{name}"]
    main([*flags, "--json", str(ranks), "--page", str(page)])
    by_title = {pair["title"]: pair for pair in json.loads(ranks.read_text())["pairs"]}
    against_truth = by_title["NMF: virtual, films, against annotators"]
    assert against_truth["methods"] == list(figures)
    assert against_truth["second"] == sorted(against_truth["second"])
    assert against_truth["spearman"] == 1
    assert by_title["jitter: virtual still, films in motion"]["kendall"] == 1
    written = page.read_text()
    assert "Virtual clips and real films" in written
    main(["page", str(ranks), str(tmp_path / "again.html")])
    assert (tmp_path / "again.html").read_text() == written
    with pytest.raises(SystemExit):
        main(["real", str(tmp_path / "v.json"), "--tracker", "ours"])
