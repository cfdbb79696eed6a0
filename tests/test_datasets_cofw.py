import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from test_datasets import counts

from tracker.layouts import COFW_29, IBUG_68
from train.datasets import DataError, open_data_set
from train.datasets.mat_file import read_mat_picture

VARIABLES = {"train": ("IsTr", "phisTr", "bboxesTr"), "test": ("IsT", "phisT", "bboxesT")}


def write_cofw(
    path: Path, pictures: list[np.ndarray], points: np.ndarray, hidden: np.ndarray
) -> Path:
    """As MATLAB 7.3 does: axes reversed, 1-based, cells as references; `points` are 0-based."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = VARIABLES["train" if "train" in path.name else "test"]
    with h5py.File(path, "w", userblock_size=512) as file:
        cells = file.create_dataset(names[0], (1, len(pictures)), dtype=h5py.ref_dtype)
        for number, picture in enumerate(pictures):
            stored = file.create_dataset(f"#refs#/{number}", data=picture.T, compression="gzip")
            cells[0, number] = stored.ref
        annotations = np.concatenate([points[..., 0] + 1, points[..., 1] + 1, hidden], axis=1)
        file.create_dataset(names[1], data=annotations.T.astype(np.float64))
        file.create_dataset(names[2], data=np.ones((4, len(pictures))))
    return path


def write_faces(path: Path, rng: np.random.Generator, count: int = 3) -> list[np.ndarray]:
    """Pictures, of which the second is grey, with random points; the pictures."""
    pictures = [rng.integers(0, 256, (40 + n, 50, 3), dtype=np.uint8) for n in range(count)]
    pictures[1] = pictures[1][..., 0]
    points, hidden = rng.uniform(5, 35, (count, 29, 2)), rng.random((count, 29)) < 0.3
    write_cofw(path, pictures, points, hidden)
    return pictures


def test_points_become_zero_based_and_flags_are_hidden_landmarks(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    points, hidden = rng.uniform(5, 35, (4, 29, 2)), rng.random((4, 29)) < 0.3
    pictures = [np.zeros((40, 50, 3), np.uint8)] * 4
    write_cofw(tmp_path / "COFW_train_color.mat", pictures, points, hidden)
    data = open_data_set(tmp_path)
    assert (data.name, data.layout) == ("COFW", COFW_29)
    for face, expected, flags in zip(data.split("train"), points, hidden, strict=True):
        np.testing.assert_allclose(face.points, expected, atol=1e-5)
        np.testing.assert_array_equal(face.hidden, flags)
        assert face.first_pixel == 0


def test_pictures_come_as_they_were_stored(tmp_path: Path, rng: np.random.Generator) -> None:
    pictures = write_faces(tmp_path / "COFW_test_color.mat", rng)
    faces = open_data_set(tmp_path).split("test")
    assert [face.number for face in faces] == [0, 1, 2]
    np.testing.assert_array_equal(faces[0].read_image(), pictures[0])
    np.testing.assert_array_equal(faces[1].read_image(), np.stack([pictures[1]] * 3, -1))
    assert faces[2].read_image().flags.c_contiguous


def test_coloured_files_come_before_grey_ones(tmp_path: Path, rng: np.random.Generator) -> None:
    for name in ("train", "test", "test_color"):
        write_faces(tmp_path / f"COFW_{name}.mat", rng)
    data = open_data_set(tmp_path)
    files = {split: data.split(split)[0].image_path.name for split in data.splits}
    assert files == {"train": "COFW_train.mat", "test": "COFW_test_color.mat"}


def test_the_folders_of_the_archive_are_known(tmp_path: Path, rng: np.random.Generator) -> None:
    write_faces(tmp_path / "common/xpburgos/behavior/code/pose/COFW_train_color.mat", rng)
    assert counts(tmp_path) == {"train": 3}


def test_workers_read_the_pictures_that_their_parent_reads(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    pictures = write_faces(tmp_path / "COFW_test.mat", rng, count=24)
    np.save(tmp_path / "sums.npy", [int(picture.sum()) for picture in pictures])
    script = f"""
import multiprocessing
import numpy as np
from pathlib import Path
from train.datasets.mat_file import read_mat_picture

def sum_of(number):
    picture = read_mat_picture(Path({str(tmp_path)!r}) / "COFW_test.mat", number)
    return int((picture[..., 0] if number == 1 else picture).sum())

sums = np.load({str(tmp_path / "sums.npy")!r}).tolist()
assert [sum_of(number) for number in range(24)] == sums
with multiprocessing.get_context("fork").Pool(3) as workers:
    for _ in range(20):
        assert workers.map(sum_of, range(24), chunksize=1) == sums
"""
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[1], check=True)


def test_a_file_that_was_cut_off_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "COFW_train.mat"
    write_faces(path, rng)
    whole = path.read_bytes()
    for length in (0, 100, 600, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"COFW_train\.mat: not a whole MATLAB 7\.3 file"):
            open_data_set(tmp_path)


def test_a_damaged_picture_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "COFW_test.mat"
    write_faces(path, rng)
    with h5py.File(path, "r+") as file:
        file["IsT"][0, 0] = h5py.Reference()
        file["IsT"][0, 2] = file.create_dataset("#refs#/9", data=np.zeros(2, np.uint64)).ref
    with pytest.raises(DataError, match="not a whole MATLAB"):
        read_mat_picture(path, 0)
    with pytest.raises(DataError, match=r"COFW_test\.mat\[2\]: not a picture \(uint64"):
        read_mat_picture(path, 2)
    with pytest.raises(DataError, match="not a whole MATLAB"):
        read_mat_picture(path, 3)


def replace(path: Path, variable: str, value: np.ndarray) -> None:
    with h5py.File(path, "r+") as file:
        del file[variable]
        file[variable] = value


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        pytest.param("phisTr", np.zeros((58, 3)), r"expected phisTr of 87 x faces", id="few"),
        pytest.param("phisTr", np.zeros((87, 2)), "3 pictures, but 2 rows in phisTr", id="faces"),
        pytest.param("phisTr", np.full((87, 3), np.nan), "face 1: a coordinate", id="nan"),
        pytest.param("phisTr", np.array(b"text"), "not a whole", id="text"),
        pytest.param("IsTr", np.zeros((1, 3)), "no pictures IsTr or IsT", id="no-pictures"),
    ],
)
def test_a_damaged_variable_is_named(
    tmp_path: Path, rng: np.random.Generator, variable: str, value: np.ndarray, says: str
) -> None:
    path = tmp_path / "COFW_train_color.mat"
    write_faces(path, rng)
    replace(path, variable, value)
    with pytest.raises(DataError, match=rf"COFW_train_color\.mat.*{says}"):
        open_data_set(tmp_path)


def test_a_variable_that_is_not_there_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "COFW_train_color.mat"
    write_faces(path, rng)
    with h5py.File(path, "r+") as file:
        del file["phisTr"]
    with pytest.raises(DataError, match="phisTr"):
        open_data_set(tmp_path)


def write_68(folder: Path, rng: np.random.Generator, count: int = 3) -> np.ndarray:
    """The annotations of Ghiasi and Fowlkes for so many pictures; their points, 0-based."""
    folder.mkdir(parents=True, exist_ok=True)
    points = rng.uniform(5, 35, (count, 68, 2))
    for number in range(count):
        occluded = (np.arange(68) % 4 == number).astype(np.uint8)[:, None]
        annotation = {"Points": points[number] + 1, "Occ": occluded}
        savemat(folder / f"{number + 1}_points.mat", annotation)
    return points


def test_68_points_are_read_on_the_pictures_of_cofw(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    pictures = write_faces(tmp_path / "COFW68_Data/COFW_test_color.mat", rng)
    points = write_68(tmp_path / "COFW68_Data/test_annotations", rng)
    data = open_data_set(tmp_path / "COFW68_Data")
    assert (data.name, data.layout, list(data.splits)) == ("COFW-68", IBUG_68, ["test"])
    for number, face in enumerate(data.split("test")):
        np.testing.assert_allclose(face.points, points[number], atol=1e-5)
        np.testing.assert_array_equal(face.hidden, np.arange(68) % 4 == number)
    np.testing.assert_array_equal(data.split("test")[2].read_image(), pictures[2])


def test_annotations_are_in_the_order_of_their_numbers(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    write_faces(tmp_path / "COFW_test.mat", rng, count=11)
    write_68(tmp_path / "test_annotations", rng, count=11)
    numbers = [face.number for face in open_data_set(tmp_path).split("test")]
    assert numbers == list(range(11))


@pytest.mark.parametrize(
    ("opened", "annotations", "mat"),
    [
        ("a/test_annotations", "a/test_annotations", "a"),
        ("a", "a/COFW68_Data/test_annotations", "a"),
        ("a/cofw68-benchmark-master", "a/cofw68-benchmark-master/COFW68_Data/test_annotations",
         "a/COFW"),
        ("b", "b/cofw68-benchmark-master/COFW68_Data/test_annotations", "b"),
        ("a/x", "a/x/test_annotations", "a"),
    ],
)  # fmt: skip
def test_the_pictures_of_cofw_are_found_nearby(
    tmp_path: Path, rng: np.random.Generator, opened: str, annotations: str, mat: str
) -> None:
    write_68(tmp_path / annotations, rng)
    with pytest.raises(DataError, match=r"COFW_test_color\.mat is in none"):
        open_data_set(tmp_path / opened)
    write_faces(tmp_path / mat / "COFW_test_color.mat", rng)
    data = open_data_set(tmp_path / opened)
    assert (data.name, len(data.split("test"))) == ("COFW-68", 3)


def test_a_folder_with_both_is_cofw_until_the_annotations_are_named(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    for split in VARIABLES:
        write_faces(tmp_path / f"COFW_{split}_color.mat", rng)
    write_68(tmp_path / "test_annotations", rng)
    assert open_data_set(tmp_path).name == "COFW"
    assert open_data_set(tmp_path / "test_annotations").name == "COFW-68"


def test_the_pictures_of_cofw_68_can_be_named(tmp_path: Path, rng: np.random.Generator) -> None:
    write_faces(tmp_path / "far/away/COFW_test.mat", rng)
    write_68(tmp_path / "a/b/c/d/test_annotations", rng)
    data = open_data_set(tmp_path / "a/b/c/d", pictures=tmp_path / "far/away")
    assert data.split("test")[0].image_path == tmp_path / "far/away/COFW_test.mat"


def test_annotations_as_matlab_73_are_read_too(tmp_path: Path, rng: np.random.Generator) -> None:
    write_faces(tmp_path / "COFW_test.mat", rng)
    points = write_68(tmp_path / "test_annotations", rng)
    path = tmp_path / "test_annotations/2_points.mat"
    path.unlink()
    with h5py.File(path, "w", userblock_size=512) as file:
        file["Points"], file["Occ"] = points[1].T + 1, np.ones((1, 68))
    head = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    path.write_bytes(head + path.read_bytes()[len(head) :])
    face = open_data_set(tmp_path).split("test")[1]
    np.testing.assert_allclose(face.points, points[1], atol=1e-5)
    assert face.hidden is not None
    assert face.hidden.all()


def test_a_damaged_annotation_of_cofw_68_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    write_faces(tmp_path / "COFW_test.mat", rng)
    write_68(tmp_path / "test_annotations", rng)
    path = tmp_path / "test_annotations/2_points.mat"
    whole = path.read_bytes()
    for damaged in [*(whole[:length] for length in range(0, len(whole) - 9, 37)), b"x" * 500]:
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"2_points\.mat: "):
            open_data_set(tmp_path)


@pytest.mark.parametrize(
    ("points", "says"),
    [
        (np.zeros((29, 2)), r"expected Points of 68 x 2, found \(29, 2\)"),
        (np.full((68, 2), np.inf), "no finite number"),
        (np.array(["text"]), "cannot be read"),
    ],
)
def test_wrong_points_of_cofw_68_are_named(
    tmp_path: Path, rng: np.random.Generator, points: np.ndarray, says: str
) -> None:
    write_faces(tmp_path / "COFW_test.mat", rng)
    write_68(tmp_path / "test_annotations", rng)
    annotation = {"Points": points, "Occ": np.zeros((68, 1))}
    savemat(tmp_path / "test_annotations/3_points.mat", annotation)
    with pytest.raises(DataError, match=rf"3_points\.mat: .*{says}"):
        open_data_set(tmp_path)


def test_an_annotation_without_its_picture_is_named(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    write_faces(tmp_path / "COFW_test.mat", rng)
    write_68(tmp_path / "test_annotations", rng, count=4)
    with pytest.raises(DataError, match=r"4_points\.mat: .*COFW_test\.mat has 3 pictures"):
        open_data_set(tmp_path)


def test_an_empty_folder_of_annotations_is_refused(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    write_faces(tmp_path / "COFW_test.mat", rng)
    (tmp_path / "test_annotations").mkdir()
    with pytest.raises(DataError, match=r"no 1_points\.mat"):
        open_data_set(tmp_path)


def test_pictures_of_cofw_cannot_lie_elsewhere(tmp_path: Path, rng: np.random.Generator) -> None:
    write_faces(tmp_path / "COFW_train.mat", rng)
    with pytest.raises(DataError, match=r"in its \.mat files: no --pictures"):
        open_data_set(tmp_path, pictures=tmp_path)
