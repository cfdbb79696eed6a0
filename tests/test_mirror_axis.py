"""The axis about which a data set mirrors, measured on made-up faces."""

from typing import Any

import numpy as np
import pytest
from test_predict import EYES, LEFT, RIGHT, EyesLandmarker, face  # noqa: F401  a fixture

from benchmarks import mirror_axis
from models.checkpoint import CheckpointInfo
from models.landmark_net import LandmarkNetConfig
from train.datasets import Sample


class BiasedNetwork:
    """Predicts eyes; its weights carry a bias, which must not count here."""

    def __init__(self, network_px: float) -> None:
        self._eyes = EyesLandmarker(np.eye(2), offset_px=network_px)
        config = LandmarkNetConfig(landmarks=68, edges=())
        self.info = CheckpointInfo(
            architecture=config, layout="300W-68", input_px=96, margin=2.0, horizontal_bias=0.1
        )

    @property
    def horizontal_bias(self) -> float:
        return self.info.horizontal_bias

    def __getattr__(self, name: str) -> Any:
        return getattr(self._eyes, name)


@pytest.mark.parametrize("network_px", [0.0, 4.0])
def test_what_annotations_lie_horizontal_bias_px_is_found_however_the_network_leans(
    face: Sample,  # noqa: F811
    network_px: float,
) -> None:
    network = BiasedNetwork(network_px)
    off = Sample(face.image_path, face.points + np.array([1.25, 0.5]))
    off.points[:] = EYES.mean(0) + np.array([1.25, 0.5])
    off.points[[RIGHT, LEFT]] = EYES + np.array([1.25, 0.5])
    seen = mirror_axis.horizontal_bias_px(network, [off])  # type: ignore[arg-type]
    assert seen[0, 0] == pytest.approx(np.linalg.norm(EYES[1] - EYES[0]), abs=0.01)
    assert seen[0, 1] == pytest.approx(1.25, abs=0.1)


def test_the_table_tells_small_faces_from_large_ones() -> None:
    eyes = np.arange(30.0, 130.0)
    table = mirror_axis.table_of(np.stack([eyes, np.where(eyes < 60, 0.5, 1.0)], -1))
    assert table.row_count == 4
    offsets = list(table.columns[2].cells)
    assert offsets[1].startswith("0.5")
    assert offsets[3].startswith("1.00 ± 0.00")
