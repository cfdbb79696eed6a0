"""The shipped network of expressions sees an opened mouth on the demo's portrait."""

from collections.abc import Iterator

import numpy as np
import pytest

from models.export_expressions import MOST_APART, largest_difference
from models.expression_reader import EXPRESSIONS, OnnxExpressionReader, load_expression_reader
from models.expression_weights import load_expression_weights
from models.onnx_session import file_digest
from tracker.analysis.coefficient_names import BY_EXPRESSION_NETWORK
from tracker.analysis.expression_reading import ExpressionRead, read_expressions
from tracker.types import Face, Image, LandmarkEstimate, Points
from train.rendered_heads import other_side
from train.synthetic import portrait_face
from train.synthetic.mouth import mouth

FACE = portrait_face()


@pytest.fixture(scope="module")
def reader() -> Iterator[OnnxExpressionReader]:
    with load_expression_reader() as opened:
        yield opened


def read(reader: OnnxExpressionReader, image: Image, points: Points) -> ExpressionRead:
    landmarks = LandmarkEstimate(points, np.tile(np.eye(2), (len(points), 1, 1)))
    face = Face(0, 1.0, landmarks, landmarks, layout=FACE.layout)
    return read_expressions(image, [face], reader)[0]


def said(seen: ExpressionRead) -> dict[str, float]:
    return dict(zip(seen.names, seen.values.tolist(), strict=True))


def test_a_mouth_that_opens_is_seen(reader: OnnxExpressionReader) -> None:
    before = said(read(reader, FACE.image, FACE.points))
    opened = FACE.image.copy()
    gape = mouth(FACE)
    gape.apply_once(opened, 1.0)
    wide = said(read(reader, opened, FACE.points + gape.moves))
    assert wide["jawOpen"] > before["jawOpen"] + 0.05


def test_a_mirror_swaps_the_sides(reader: OnnxExpressionReader) -> None:
    here, there = (read(reader, one.image, one.points) for one in (FACE, FACE.mirrored))
    swapped = [there.names.index(other_side(name)) for name in here.names]
    np.testing.assert_allclose(there.values[swapped], here.values, atol=0.15)
    flip = np.diag([-1.0, 1, 1])
    turn = flip @ there.rotation @ flip @ here.rotation.T
    assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) < 9


def test_it_says_what_tables_have_columns_for(reader: OnnxExpressionReader) -> None:
    assert set(BY_EXPRESSION_NETWORK) <= set(reader.names)
    assert {other_side(name) for name in BY_EXPRESSION_NETWORK} == set(BY_EXPRESSION_NETWORK)


def test_the_shipped_files_are_of_each_other_and_of_the_card() -> None:
    weights = EXPRESSIONS.with_suffix(".safetensors")
    network, _ = load_expression_weights(weights)
    assert largest_difference(network, EXPRESSIONS) <= MOST_APART
    card = EXPRESSIONS.with_suffix(".md").read_text(encoding="utf-8")
    assert f"SHA-256: `{file_digest(EXPRESSIONS)}`" in card
    assert file_digest(weights).encode() in EXPRESSIONS.read_bytes()
    assert EXPRESSIONS.stat().st_size < 800_000
