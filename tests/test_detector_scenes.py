"""Composed scenes: a marked picture's marks are where the labels say, and empty ones are empty."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.face_net import FaceNetConfig
from train.detector.compose_scenes import SceneComposer, SceneOptions, sorted_out
from train.detector.detector_run import DetectorRecipe, DetectorRun, compose_batch, rate_at
from train.detector.picture_bank import PictureBank, fill_bank
from train.detector.scene_decoys import drawn_patch, shuffled
from train.detector.scene_parts import ComposedScene, random_mask, warped

SMALL = FaceNetConfig(stem=(4, 8), widths=(8, 8, 8, 8), depths=(1, 1, 1, 1), pyramid=8)
MARKS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
"""Right eye, left eye, mouth, on grey."""


def marked_face() -> tuple[np.ndarray, np.ndarray]:
    """A grey picture with three coloured discs, and 68 points whose eyes and mouth they are."""
    image = np.full((200, 200, 3), 128, np.uint8)
    places = [(75, 85), (125, 85), (100, 135)]
    for place, colour in zip(places, MARKS, strict=True):
        cv2.circle(image, place, 8, colour, -1)
    points = np.zeros((68, 2))
    points[:36] = np.linspace([60, 75], [140, 150], 36)
    points[36:42], points[42:48], points[48:] = places
    return image, points


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bank of marked faces in `ytf68`, and of pictures without one."""
    root = tmp_path_factory.mktemp("data")
    for name in ("ytf68", "backgrounds"):
        (root / name).mkdir()
    image, points = marked_face()
    head = ",".join(["picture", *(f"{axis}_{i}" for i in range(68) for axis in "xy")])
    lines = [head]
    for person in range(40):
        name = f"Person{person}_0.jpg"
        cv2.imwrite(str(root / "ytf68" / name), image[..., ::-1])
        lines.append(",".join([name, *(f"{value:.1f}" for value in points.flatten())]))
    (root / "ytf68" / "landmarks.csv").write_text("\n".join(lines) + "\n")
    for index in range(12):
        empty = np.full((120, 160, 3), 40 + 10 * index, np.uint8)
        cv2.imwrite(str(root / "backgrounds" / f"{index}.jpg"), empty)
    fill_bank(root, root / "bank", None, None)
    return root / "bank"


def composer(bank: Path, **options: object) -> SceneComposer:
    return SceneComposer(PictureBank(bank), SceneOptions(degrade=False, **options))  # type: ignore[arg-type]


def test_the_bank_splits_by_person_and_keeps_pixels_and_labels(bank: Path) -> None:
    stored = PictureBank(bank)
    training, held_out = stored.of("ytf68"), stored.of("ytf68", held_out=True)
    assert len(training) + len(held_out) == 40
    assert held_out
    picture = stored[training[0]]
    assert picture.image.shape == (200, 200, 3)
    np.testing.assert_allclose(picture.labels[0, 3:], [75, 85, 125, 85, 100, 135], atol=0.1)


@pytest.mark.parametrize("kind", ["whole", "mosaic", "pasted"])
def test_marks_are_where_the_labels_say(bank: Path, kind: str, rng: np.random.Generator) -> None:
    compose = composer(bank)
    checked = right = 0
    for _ in range(20):
        image, labels, _ = compose(320, rng, kind)
        for label in labels[labels[:, 2] > 30]:
            places = label[3:].reshape(3, 2)
            (right_x, right_y), (left_x, left_y) = places[0] - places[2], places[1] - places[2]
            assert right_x * left_y - right_y * left_x > 0  # mirrored or turned, never swapped
            x, y = np.round(places).astype(int).T
            if min(x.min(), y.min()) >= 0 and max(x.max(), y.max()) < 320:
                checked += 1
                seen = image[y, x].astype(int)
                marks = seen.argmax(1).tolist() if (np.ptp(seen, axis=1) > 25).all() else []
                right += marks in ([0, 1, 2], [1, 0, 2])
    assert checked > 10
    # Something is put before one face in seven, and the cells of a mosaic cut large ones.
    assert right > 0.6 * checked


def test_empty_scenes_hold_no_face(bank: Path, rng: np.random.Generator) -> None:
    for _ in range(10):
        image, labels, _ = composer(bank)(128, rng, "empty")
        assert image.shape == (128, 128, 3)
        assert len(labels) == 0


def test_the_roll_can_be_asked_for(bank: Path, rng: np.random.Generator) -> None:
    for _ in range(5):
        _, labels, _ = composer(bank, roll_deg=90.0)(320, rng, "pasted")
        down = labels[:, 7:] - (labels[:, 3:5] + labels[:, 5:7]) / 2
        angle = np.degrees(np.arctan2(*down.T))
        np.testing.assert_allclose(angle, 90, atol=10.5)


def test_faces_too_small_or_mostly_outside_are_ignored() -> None:
    rows = [[50, 50, 30], [50, 50, 5], [2, 2, 30], [150, 50, 30], [-2, 50, 30]]
    labels = np.array([[*row, *6 * (0.0,)] for row in rows], np.float32)
    kept, ignored = sorted_out(ComposedScene(np.zeros((100, 100, 3), np.uint8), labels), 100)
    np.testing.assert_array_equal(kept[:, :3], [[50, 50, 30]])
    np.testing.assert_array_equal(ignored, [[50, 50, 5], [2, 2, 30], [-2, 50, 30]])


def test_shrinking_averages_and_keeps_the_place() -> None:
    image = np.zeros((256, 256, 3), np.uint8)
    image[96:160, 96:160] = 255
    small = warped(image, np.array([[0.125, 0, -0.4375], [0, 0.125, -0.4375]]), (32, 32))
    ys, xs = np.nonzero(small[..., 0] > 127)
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == (12, 19, 12, 19)


def test_masks_show_the_middle(rng: np.random.Generator) -> None:
    masks = np.stack([random_mask(rng) for _ in range(50)])
    assert (masks[:, 60:68, 60:68] > 200).all()
    assert masks.mean() < 200


def test_the_rate_rises_and_falls() -> None:
    recipe = DetectorRecipe(pictures=1000, warm_up=100)
    rates = [rate_at(pictures, recipe) for pictures in (0, 50, 100, 500, 1000)]
    assert rates[0] < rates[1] < rates[2] == 1.0
    assert rates[3] < 1
    assert rates[4] == pytest.approx(0.02)


def test_a_run_goes_on_where_it_stopped(bank: Path, tmp_path: Path) -> None:
    recipe = DetectorRecipe(
        pictures=24, batch=4, scene_px=64, large_scene_px=64, log_every=8, judge_every=16
    )
    run = DetectorRun(tmp_path, bank, recipe, SMALL)
    run.train(workers=0)
    assert run.pictures == 24
    again = DetectorRun(tmp_path, bank, recipe, SMALL)
    assert again.pictures == 24
    for ours, theirs in zip(
        run.average.state_dict().values(), again.average.state_dict().values(), strict=True
    ):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    follower = DetectorRun(tmp_path / "next", bank, recipe, SMALL)
    follower.start_from(tmp_path / "faces.safetensors")
    ours, theirs = run.average.stem[0][0].weight, follower.network.stem[0][0].weight
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), atol=1e-3)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert any("held_out_total" in line for line in lines)


def test_batches_have_a_target_for_every_cell(bank: Path, rng: np.random.Generator) -> None:
    images, levels = compose_batch(composer(bank), 3, 96, rng)
    assert images.shape == (3, 3, 96, 96)
    assert [tuple(score.shape) for score, _, _ in levels] == [
        (3, -(-96 // stride), -(-96 // stride)) for stride in (8, 16, 32, 64)
    ]


def test_a_shuffled_face_keeps_its_colours_and_loses_its_order(rng: np.random.Generator) -> None:
    image = np.zeros((96, 96, 3), np.uint8)
    image[:32], image[32:64], image[64:] = MARKS
    label = np.array([48, 48, 80, *6 * (48.0,)], np.float32)
    mixed = shuffled(image, label, rng)
    assert mixed.shape == image.shape
    for colour in MARKS:
        count = (mixed == colour).all(-1).sum()
        assert count == pytest.approx((image == colour).all(-1).sum(), rel=0.1)
    assert (mixed != image).any(-1).mean() > 0.3


def test_drawn_patches_are_pictures(rng: np.random.Generator) -> None:
    for _ in range(20):
        patch = drawn_patch(rng)
        assert patch.shape == (96, 96, 3)
        assert patch.dtype == np.uint8
