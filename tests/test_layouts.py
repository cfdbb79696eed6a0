import numpy as np
import pytest
from fakes import FIXTURES

from tracker.layouts import COFW_29, IBUG_68, LAYOUTS, WFLW_98, Layout

NAMES = {"WFLW": WFLW_98, "300W": IBUG_68, "COFW": COFW_29}


@pytest.mark.parametrize("name", NAMES)
def test_mirroring_equals_the_authors_numbers(name: str) -> None:
    layout, stored = NAMES[name], np.load(FIXTURES / "flip.npz")
    points, flipped = stored[f"{name}/points"], stored[f"{name}/flipped_w300"]
    last = 300 if name == "COFW" else 299  # COFW's pictures are flipped as if 1-based
    mirrored = np.stack([last - points[:, 0], points[:, 1]], -1)[layout.mirror]
    np.testing.assert_allclose(mirrored, flipped, atol=1e-4)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_mirroring_twice_is_nothing(layout: Layout) -> None:
    mirror = layout.mirror
    np.testing.assert_array_equal(mirror[mirror], np.arange(layout.count))
    assert len(np.unique(mirror)) == layout.count


@pytest.mark.parametrize("layout", [WFLW_98, IBUG_68], ids=["WFLW-98", "300W-68"])
def test_a_mirrored_outline_is_an_outline(layout: Layout) -> None:
    outlines = {frozenset(members) for members in layout.edges}
    for members in layout.edges:
        assert frozenset(layout.mirror[list(members)].tolist()) in outlines


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_eye_corners_mirror_into_each_other(layout: Layout) -> None:
    right, left = layout.eye_corners
    assert layout.mirror[right] == left
