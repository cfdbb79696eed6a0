"""Machine-made annotations compared with a network's landmarks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_datasets import write_300w, write_picture

from tracker.layouts import IBUG_68
from train.datasets import (
    DataError,
    Sample,
    is_held_out,
    open_data_set,
    person_of,
    read_pseudo_labels,
    write_pseudo_labels,
)
from train.faces import gather
from train.hard_faces import nose_offset
from train.recipes import RECIPES
from train.screening import Screening, face_size
from train.synthetic.face import portrait_face
from train.views import batches


def faces(count: int) -> np.ndarray:
    """The portrait at many places and sizes."""
    rng = np.random.default_rng(0)
    shape = portrait_face().points
    scale, shift = rng.uniform(0.3, 1.5, (count, 1, 1)), rng.uniform(0, 50, (count, 1, 2))
    return (shape * scale + shift).astype(np.float64)


def test_another_convention_is_taken_out(rng: np.random.Generator) -> None:
    predicted = faces(40)
    offset = rng.normal(0, 0.03, (68, 2))
    annotated = predicted + offset * face_size(predicted)[:, None, None]
    found = Screening.of(annotated, predicted)
    np.testing.assert_allclose(found.corrected(annotated), predicted, atol=1.5)
    assert found.keep.all()


def test_a_gross_error_is_thrown_out(rng: np.random.Generator) -> None:
    predicted = faces(40)
    annotated = predicted + rng.normal(0, 0.01, predicted.shape)
    annotated[7] += 0.3 * face_size(predicted)[7]
    assert np.flatnonzero(~Screening.of(annotated, predicted).keep).tolist() == [7]


def test_without_a_frontal_face_there_is_nothing_to_compare_with() -> None:
    turned = faces(3)
    turned[:, 30] = turned[:, 36]
    assert (nose_offset(turned) > 0.3).all()
    with pytest.raises(DataError, match="frontal"):
        Screening.of(turned, turned)


def test_a_person_is_the_name_before_the_last_underscore() -> None:
    names = ["t_Ann_Lee_03.jpg", "Ann_Lee_51.jpg", "0338.jpg"]
    assert [person_of(Path(name)) for name in names] == ["Ann_Lee", "Ann_Lee", "0338"]


def test_machine_made_labels_are_read_as_they_were_written(tmp_path: Path) -> None:
    points = faces(2).astype(np.float32)
    written = [
        Sample(tmp_path / "A_B_1.jpg", points[0], certainty=np.full(68, 0.5), first_pixel=0.4),
        Sample(tmp_path / "C_2.jpg", points[1]),
    ]
    write_pseudo_labels(tmp_path / "new/labels.npz", written)
    first, second = read_pseudo_labels(tmp_path / "new/labels.npz")
    np.testing.assert_array_equal(first.points, points[0])
    assert first.certainty is not None
    assert (first.certainty == 0.5).all()
    assert first.first_pixel == pytest.approx(0.4)
    assert (first.photograph, second.photograph) == ("A_B", "C")
    assert second.certainty is not None
    assert (second.certainty == 1).all()


def test_nobody_who_judges_is_trained_on_from_any_file(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    points = faces(1)[0].astype(np.float32)
    points[30] = points[36]  # turned, so that they are measured
    pictures = [tmp_path / f"Person{i}_{k}.jpg" for i in range(60) for k in range(2)]
    for picture in pictures:
        write_picture(picture, rng)
    write_pseudo_labels(tmp_path / "stills.npz", [Sample(p, points) for p in pictures])
    write_pseudo_labels(tmp_path / "pseudo.npz", [Sample(p, points) for p in pictures[::3]])
    data = open_data_set(write_300w(tmp_path / "300w", rng, faces=30))
    found = gather(
        data,
        tmp_path / "pseudo.npz",
        select_on_test=False,
        further=[tmp_path / "stills.npz"],
    )
    held = {person_of(picture) for picture in pictures if is_held_out(person_of(picture))}
    assert 0 < len(held) < 20
    trained = {sample.photograph for sample in found.trained_on}
    assert not trained & held
    (turned,) = (part for part in found.hard if part.name == "stills_turned")
    assert {sample.photograph for sample in turned.samples} == held
    assert found.layout == IBUG_68


def test_every_further_file_has_its_share_of_each_batch() -> None:
    recipe = replace(RECIPES["lite"], images=1_600, pseudo_share=0.25)
    further = [(12, 0.1875), (0, 0.25), (7, 0.0625)]
    whole = list(batches(recipe, 50, 20, 0, further))
    for draws in whole:
        samples = np.array([draw.sample for draw in draws])
        assert np.histogram(samples, [0, 50, 70, 82, 89])[0].tolist() == [8, 4, 3, 1]
    assert list(batches(recipe, 50, 20, 320, further)) == whole[20:]
