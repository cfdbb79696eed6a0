"""Parquet, COCO key points and .pts: read back by their own readers, and after a kill."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from test_sinks import face, frame

import run_tracker
from tracker.errors import SinkError
from tracker.io.key_point_files import CocoSink, PtsSink
from tracker.io.parquet_table import ParquetSink
from tracker.io.provenance import Provenance
from tracker.layouts import IBUG_68
from train.datasets.ibug import read_pts

ROOT = Path(__file__).parents[1]
MADE = Provenance(
    weights="lite", weights_sha256="ab", settings={"raw": False}, source="a", source_sha256="cd"
)
FRAMES = [[face(0), face(1)], [], [face(2, predicted=True)]]


def write_all(sink: ParquetSink | CocoSink | PtsSink) -> None:
    for index, faces in enumerate(FRAMES):
        sink.write(frame(index), faces)


def test_parquet_holds_a_row_per_face_and_frame_and_what_made_it(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path / "x.parquet", raw=False, made=MADE)
    write_all(sink)
    sink.close()
    table = pq.read_table(tmp_path / "x.parquet")
    rows = table.to_pylist()
    assert [(r["frame"], r["face_id"], r["success"]) for r in rows] == [
        (0, 0, True), (0, 1, True), (1, -1, False), (2, 2, False),
    ]  # fmt: skip
    truth = face().landmarks
    np.testing.assert_allclose(np.stack([rows[0]["x"], rows[0]["y"]], -1), truth.mean, atol=1e-4)
    assert (rows[0]["cov_xx"][9], rows[0]["cov_xy"][9], rows[0]["cov_yy"][9]) == (2.0, 0.5, 1.0)
    assert rows[2]["x"] is None
    described = json.loads(table.schema.metadata[b"star_tracker"])
    assert (described["weights_sha256"], described["schema"]) == ("ab", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]


def test_parquet_is_read_by_duckdb_and_pandas(tmp_path: Path) -> None:
    duckdb, pandas = pytest.importorskip("duckdb"), pytest.importorskip("pandas")
    path = tmp_path / "x.parquet"
    sink = ParquetSink(path, raw=False, made=MADE)
    write_all(sink)
    sink.close()
    truth = face().landmarks.mean[9]
    query = "select frame, face_id, success, len(x), x[10], y[10], cov_xy[10] from read_parquet(?)"
    rows = duckdb.execute(f"{query} order by frame, face_id", [str(path)]).fetchall()
    assert [row[:4] for row in rows] == [
        (0, 0, True, 68), (0, 1, True, 68), (1, -1, False, None), (2, 2, False, 68),
    ]  # fmt: skip
    assert rows[0][4:] == pytest.approx([*truth, 0.5], abs=1e-4)
    table = pandas.read_parquet(path)
    assert table["face_id"].tolist() == [0, 1, -1, 2]
    assert [table["x"][0][9], table["y"][0][9]] == pytest.approx(truth, abs=1e-4)
    assert table["x"][2] is None


def test_many_parts_become_one_table_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.io.parquet_table._PART_ROWS", 3)
    monkeypatch.setattr("tracker.io.parquet_table._GROUP_ROWS", 5)
    sink = ParquetSink(tmp_path / "x.parquet", raw=False)
    for index in range(20):
        sink.write(frame(index), [face()])
    assert len(list((tmp_path / "x.parquet.parts").glob("part-*.parquet"))) == 6
    sink.close()
    file = pq.ParquetFile(tmp_path / "x.parquet")
    assert file.num_row_groups > 1
    assert file.read()["frame"].to_pylist() == list(range(20))


def test_a_run_without_frames_leaves_a_table_without_rows(tmp_path: Path) -> None:
    ParquetSink(tmp_path / "x.parquet", raw=False).close()
    assert pq.read_table(tmp_path / "x.parquet").num_rows == 0


KILLED = """
import os, sys, time
sys.path += [{root!r}, {tests!r}]
from pathlib import Path
import tracker.io.parquet_table as module
from test_table_formats import CocoSink, IBUG_68, ParquetSink, face, frame
module._PART_EVERY_S = 0.0
sinks = [ParquetSink(Path({parquet!r}), raw=False), CocoSink(Path({coco!r}), IBUG_68, raw=False)]
for index in range(5):
    for sink in sinks:
        sink.write(frame(index), [face()])
os.kill(os.getpid(), 9)
"""


def test_after_a_kill_the_parts_are_readable_and_the_next_run_takes_over(tmp_path: Path) -> None:
    parquet, coco = tmp_path / "x.parquet", tmp_path / "x.json"
    named = {"root": str(ROOT), "tests": str(ROOT / "tests")}
    code = KILLED.format(**named, parquet=str(parquet), coco=str(coco))
    subprocess.run([sys.executable, "-c", code], check=False)
    parts = sorted((tmp_path / "x.parquet.parts").glob("part-*.parquet"))
    assert [pq.read_table(part)["frame"].to_pylist() for part in parts] == [[i] for i in range(5)]
    lines = (tmp_path / "x.json.parts" / "annotations.jsonl").read_text().splitlines()
    assert [json.loads(line)["image_id"] for line in lines] == list(range(5))
    with pytest.raises(SinkError, match=r"x\.parquet\.parts: exists already"):
        ParquetSink(parquet, raw=False, overwrite=False)
    for sink in (ParquetSink(parquet, raw=False), CocoSink(coco, IBUG_68, raw=False)):
        write_all(sink)
        sink.close()
    assert pq.read_table(parquet).num_rows == 4
    assert {path.name for path in tmp_path.iterdir()} == {"x.parquet", "x.json"}


def test_the_old_table_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("old")
    sink = ParquetSink(tmp_path / "x.parquet", raw=False)
    write_all(sink)
    assert (tmp_path / "x.parquet").read_text() == "old"
    with pytest.raises(SinkError, match="another run is writing it"):
        ParquetSink(tmp_path / "x.parquet", raw=False)
    sink.close()
    assert pq.read_table(tmp_path / "x.parquet").num_rows == 4


def test_coco_key_points_are_read_by_cocos_own_reader(tmp_path: Path) -> None:
    sink = CocoSink(tmp_path / "x.json", IBUG_68, raw=False, made=MADE)
    write_all(sink)
    sink.close()
    coco = pytest.importorskip("pycocotools.coco").COCO(str(tmp_path / "x.json"))
    assert len(coco.getImgIds()) == 3
    first, _, last = coco.loadAnns(coco.getAnnIds())
    assert np.array(first["keypoints"]).reshape(68, 3)[5, :2] == pytest.approx(
        face().landmarks.mean[5], abs=1e-3
    )
    assert {first["keypoints"][2], last["keypoints"][2]} == {2, 1}
    assert len(coco.loadCats([1])[0]["keypoints"]) == 68
    assert coco.dataset["info"]["source_sha256"] == "cd"


def test_pts_files_are_read_as_those_of_300w(tmp_path: Path) -> None:
    sink = PtsSink(tmp_path / "pts", raw=False)
    for name in ("a.jpg", "a.png", "b.jpg"):
        sink.write(frame(0, name), [face(0), face(1), face(2, predicted=True)])
    sink.write(frame(7), [face()])
    assert {path.name for path in (tmp_path / "pts").iterdir()} == {
        "a.pts", "a_2.pts", "a.png.pts", "a.png_2.pts", "b.pts", "b_2.pts", "frame_000007.pts",
    }  # fmt: skip
    points = read_pts(tmp_path / "pts" / "b_2.pts", IBUG_68)
    np.testing.assert_allclose(points, face().landmarks.mean, atol=1e-3)


def test_a_table_says_what_made_it(tmp_path: Path) -> None:
    film = ROOT / "tracker/io/portrait.jpg"
    tables = {kind: tmp_path / f"x.{kind}" for kind in ("csv", "jsonl", "parquet", "json")}
    flags = ["--save-csv", tables["csv"], "--save-jsonl", tables["jsonl"]]
    flags += ["--save-parquet", tables["parquet"], "--save-coco", tables["json"]]
    flags += ["--save-pts", tmp_path / "pts", "--detector", "any-roll", "--smoothing", "0.25"]
    assert run_tracker.main([str(film), *map(str, flags)]) == 0
    made = json.loads((tmp_path / "x.csv.meta.json").read_text())
    weights = (ROOT / "models/weights/base-300w.safetensors").read_bytes()
    assert made["weights"] == "base"  # for pictures
    assert made["weights_sha256"] == hashlib.sha256(weights).hexdigest()
    assert made["source"] == "portrait.jpg"
    assert made["source_sha256"] == hashlib.sha256(film.read_bytes()).hexdigest()
    assert (made["settings"]["smoothing"], made["settings"]["detector"]) == (0.25, "any-roll")
    others = [
        json.loads((tmp_path / "x.jsonl.meta.json").read_text()),
        json.loads((tmp_path / "pts.meta.json").read_text()),
        json.loads(pq.read_schema(tables["parquet"]).metadata[b"star_tracker"]),
        json.loads(tables["json"].read_text())["info"],
    ]
    assert all(other == made for other in others)
