"""Published figures to compare with: STAR and the best since.

In per cent of the normaliser that each line names; failure rate and area at the data set's own
threshold (5 % for 300W, else 10 %). Where no newer figures could be read, the best older ones.
"""

from dataclasses import dataclass

from train.metrics import Normaliser

REFERENCE = "STAR"
"""The method that ours is compared with."""


@dataclass(frozen=True, slots=True)
class Published:
    """One line of a published table."""

    method: str
    year: int
    data_set: str
    split: str
    nme_percent: float
    failures_percent: float | None = None
    area: float | None = None
    normaliser: Normaliser = "ocular"
    source: str = ""


def published(data_set: str, split: str, normaliser: Normaliser) -> list[Published]:
    """The published lines of one split, in the order below."""
    wanted = (data_set, split, normaliser)
    return [row for row in _ROWS if (row.data_set, row.split, row.normaliser) == wanted]


def reference(data_set: str, split: str, normaliser: Normaliser) -> Published | None:
    """STAR's own figure for one split."""
    rows = published(data_set, split, normaliser)
    return next((row for row in rows if row.method == REFERENCE), None)


_STAR = "results table of the STAR repository"
_RERUN = "published checkpoint run in Ring886/STAR-new, without the first row"
_CODES = "Papers with Code"
_DVIT = "Papers with Code; sotaverified"
_ORFORMER = "README of ORFormer"
_TUFA = "README of TUFA"
_RWSA = "model card of RwSA"
_ADNET = "README of ADNet"
_SPIGA = "README of SPIGA"
_MMPOSE = "configurations of mmpose"


def _wflw_subsets(method: str, year: int, source: str, figures: str) -> list[Published]:
    names = ("pose", "expression", "illumination", "makeup", "occlusion", "blur")
    values = [float(figure) for figure in figures.split()]
    return [
        Published(method, year, "WFLW", name, value, source=source)
        for name, value in zip(names, values, strict=True)
    ]


_ROWS = [
    Published("STAR", 2023, "WFLW", "test", 4.02, 2.32, 0.605, source=_STAR),
    Published("LDEQ", 2023, "WFLW", "test", 3.92, 2.48, 0.624, source=_ORFORMER),
    Published("RwSA", 2025, "WFLW", "test", 3.97, 1.96, 0.608, source=_RWSA),
    Published("TUFA", 2025, "WFLW", "test", 3.93, 1.52, source=_TUFA),
    Published("ORFormer", 2025, "WFLW", "test", 3.86, 1.76, 0.622, source=_ORFORMER),
    Published("D-ViT", 2025, "WFLW", "test", 3.75, 1.76, 0.637, source=_DVIT),
    *_wflw_subsets("HRNet-W18 DARK", 2020, _MMPOSE, "6.98 4.29 3.96 3.89 4.78 4.56"),
    *_wflw_subsets("HRNet-W18 AWing", 2020, _MMPOSE, "6.94 4.28 3.97 3.87 4.78 4.59"),
    *_wflw_subsets("ADNet", 2021, _ADNET, "6.96 4.38 4.09 4.05 5.06 4.79"),
    *_wflw_subsets("SPIGA", 2022, _SPIGA, "7.141 4.457 4.004 3.809 4.952 4.650"),
    Published("STAR", 2023, "300W", "test", 2.87, source=_STAR),
    Published("STAR, checkpoint", 2023, "300W", "test", 2.8704, 5.81, 0.437725, source=_RERUN),
    Published("FiFA", 2024, "300W", "test", 2.89, source=_CODES),
    Published("TUFA", 2025, "300W", "test", 2.95, source=_TUFA),
    Published("ORFormer", 2025, "300W", "test", 2.90, source=_ORFORMER),
    Published("RwSA", 2025, "300W", "test", 2.86, source=_RWSA),
    Published("D-ViT", 2025, "300W", "test", 2.85, source=_DVIT),
    Published("STAR", 2023, "300W", "common", 2.52, source=_STAR),
    Published("FiFA", 2024, "300W", "common", 2.51, source=_CODES),
    Published("ORFormer", 2025, "300W", "common", 2.53, source=_ORFORMER),
    Published("STAR", 2023, "300W", "challenge", 4.32, source=_STAR),
    Published("FiFA", 2024, "300W", "challenge", 4.47, source=_CODES),
    Published("ORFormer", 2025, "300W", "challenge", 4.43, source=_ORFORMER),
    Published("STAR", 2023, "300W", "test", 4.03, normaliser="pupil", source=_CODES),
    Published("STAR", 2023, "300W", "common", 3.50, normaliser="pupil", source=_CODES),
    Published("STAR", 2023, "300W", "challenge", 6.22, normaliser="pupil", source=_CODES),
    Published("STAR", 2023, "COFW", "test", 4.62, normaliser="pupil", source=_STAR),
    Published(
        "STAR, checkpoint", 2023, "COFW", "test", 4.6250, 0.79, 0.539523, "pupil", source=_RERUN
    ),
    Published("ORFormer", 2025, "COFW", "test", 4.46, normaliser="pupil", source=_ORFORMER),
    Published("RwSA", 2025, "COFW", "test", 4.54, 0.62, 0.547, "pupil", source=_RWSA),
    Published("D-ViT", 2025, "COFW", "test", 4.13, normaliser="pupil", source=_DVIT),
    Published("STAR", 2023, "COFW", "test", 3.21, source=_CODES),
    Published("FiFA", 2024, "COFW", "test", 2.96, source=_CODES),
    Published("TUFA", 2025, "COFW", "test", 3.07, source=_TUFA),
]
