"""The kit that travels: the same bytes, films whose frames and times are those of the truth."""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import write_video

from benchmarks.jitter.__main__ import main
from benchmarks.jitter.figure_definitions import ALL_KINDS, FIGURES
from benchmarks.jitter.kit.kit_command import takes, write_kit
from benchmarks.jitter.kit.kit_folder import read_kit
from benchmarks.jitter.kit.kit_heads import head_clips
from benchmarks.jitter.kit.kit_kinds import (
    CORE,
    KIT_KINDS,
    dropped_frames,
    irregular_frames,
)
from benchmarks.jitter.kit.kit_people import KitPerson, people_in
from benchmarks.jitter.plugins.tracker_runs import film_frames
from tracker.errors import FaceTrackError
from tracker.io.simulated_camera import portrait
from train.synthetic.face import portrait_face

KINDS = ("still", "variable", "turn")


def write(folder: Path) -> dict[str, str]:
    main(["kit", str(folder), "--people", "1", "--seconds", "0.3", "--kinds", *KINDS])
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def two_kits(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, dict[str, str], dict[str, str]]:
    folder = tmp_path_factory.mktemp("kits")
    return folder / "one", write(folder / "one"), write(folder / "other")


def test_the_same_seed_gives_the_same_bytes(
    two_kits: tuple[Path, dict[str, str], dict[str, str]],
) -> None:
    _, one, other = two_kits
    assert one == other
    assert {"kit.json", "RULES.md", "rules.html", "truth.parquet"} < set(one)
    assert {f"clips/{kind}_hopper.{end}" for kind in KINDS for end in ("mp4", "csv")} < set(one)


def test_films_have_the_frames_and_times_of_the_truth(
    two_kits: tuple[Path, dict[str, str], dict[str, str]],
) -> None:
    kit = read_kit(two_kits[0])
    for clip in kit.clips:
        times = [frame.time_s for frame in film_frames(kit.path(clip))]
        np.testing.assert_allclose(times, clip.times_s, atol=1e-4)
        rows = np.loadtxt(kit.path(clip).with_suffix(".csv"), delimiter=",", skiprows=1)
        np.testing.assert_allclose(rows[:, 3:71], clip.truth[:, 0, :, 0], atol=1e-4)
    steps = np.diff(next(clip for clip in kit.clips if clip.kind == "variable").times_s)
    assert len(set(np.round(60 * steps))) > 2


def test_rendered_heads_come_with_their_own_truth(tmp_path: Path) -> None:
    heads, folder = tmp_path / "heads", tmp_path / "kit"
    heads.mkdir()
    rng = np.random.default_rng(0)
    for stem, frames in (("turn_0", 4), ("look_1", 3)):
        images = rng.integers(0, 255, (frames, 64, 96, 3)).astype(np.uint8)
        write_video(heads / f"{stem}.mp4", list(images))
        columns = [f"{axis}_{i}" for i in range(68) for axis in "xy"]
        rows = [",".join(["frame", *columns, "yaw_deg"])]
        rows += [",".join(map(str, [n, *(n + np.arange(136) / 8), 9])) for n in range(frames)]
        (heads / f"{stem}.csv").write_text("\n".join(rows))
    (heads / "other.mp4").write_bytes(b"")
    write_kit(folder, [], [], "small", 0, heads)
    clips = {clip.name: clip for clip in read_kit(folder).clips}
    assert {(c.kind, c.person) for c in clips.values()} == {
        ("turn", "head-turn-0"),
        ("talking", "head-look-1"),
    }
    turn = clips["turn_head-turn-0"]
    np.testing.assert_allclose(turn.truth[2, 0, 5], [2 + 10 / 8, 2 + 11 / 8])
    np.testing.assert_allclose(turn.times_s, np.arange(4) / 30, atol=1e-3)
    assert (folder / turn.file).read_bytes() == (heads / "turn_0.mp4").read_bytes()
    (heads / "turn_0.csv").write_text("\n".join(rows[:2]))
    with pytest.raises(FaceTrackError, match=r"has 4 frames, and its truth has 1 rows"):
        list(head_clips(heads, tmp_path))


def test_people_of_a_list_are_filmed_in_its_order_and_missing_ones_are_named(
    tmp_path: Path,
) -> None:
    for name in ("a", "b", "c"):
        picture = cv2.cvtColor(portrait(), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(tmp_path / f"{name}.png"), cv2.resize(picture, None, fx=0.5, fy=0.5))
    chosen = tmp_path / "list.csv"
    chosen.write_text("portrait,source\nc.png,by C\na.png,by A\n")
    flat = np.zeros((468, 3))
    people = people_in(tmp_path, None, chosen, lambda _: flat)
    assert [(person.name, person.source) for person in people] == [("c", "by C"), ("a", "by A")]
    assert people[0].mesh is not None
    chosen.write_text("portrait,source\nd.png,by D\n")
    with pytest.raises(FaceTrackError, match=r"has no d\.png, which list\.csv names"):
        people_in(tmp_path, None, chosen)


def test_frames_come_irregularly_or_are_missing_up_to_six_in_a_row() -> None:
    rng = np.random.default_rng(0)
    chosen = irregular_frames(600, rng)
    assert set(np.diff(chosen)) == {1, 2, 3, 4}
    gaps = np.diff(dropped_frames(600, rng))
    assert gaps.min() == 1
    assert 2 <= gaps.max() <= 7


def test_of_many_people_each_has_the_core_kinds_and_every_kind_several_people() -> None:
    people = [KitPerson(f"p{n}", portrait_face(), "drawn") for n in range(9)]
    wanted = takes(people, list(KIT_KINDS), 1.0, seed=0)
    of_person = {p.name: {t.kind for t in wanted if t.person is p} for p in people}
    assert all(set(CORE) <= kinds < set(KIT_KINDS) for kinds in of_person.values())
    for kind in set(KIT_KINDS) - {"turn"}:  # without a mesh nobody turns
        assert sum(kind in kinds for kinds in of_person.values()) >= 3
    assert len({take.seed for take in wanted}) == len(wanted)


def test_the_rules_name_every_figure_with_its_unit_and_the_kit_every_kind(
    two_kits: tuple[Path, dict[str, str], dict[str, str]],
) -> None:
    rules = (two_kits[0] / "RULES.md").read_text("utf-8")
    for figure in FIGURES:
        assert f"| {figure.title} | {figure.unit} |" in rules
    assert set(ALL_KINDS) == set(KIT_KINDS)
    page = (two_kits[0] / "rules.html").read_text("utf-8")
    assert page.count("<tr>") == len(FIGURES) + len(KINDS) + 2
    assert "http" not in page


def test_a_kit_is_not_written_over_and_what_is_none_is_told(
    two_kits: tuple[Path, dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    folder = two_kits[0]
    with pytest.raises(SystemExit) as stopped:
        main(["kit", str(folder)])
    assert stopped.value.code == 2
    with pytest.raises(FaceTrackError, match=r"is no kit .*`python -m benchmarks\.jitter kit"):
        read_kit(tmp_path)
    old = tmp_path / "old"
    old.mkdir()
    (old / "truth.parquet").write_bytes((folder / "truth.parquet").read_bytes())
    description = json.loads((folder / "kit.json").read_text("utf-8")) | {"version": 0}
    (old / "kit.json").write_text(json.dumps(description), "utf-8")
    with pytest.raises(FaceTrackError, match="version 0, and figures are of version 2"):
        read_kit(old)
