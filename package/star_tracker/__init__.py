"""Face landmarks on video that hold still when the face does, each with its covariance.

The one import name of the installed package: everything of `tracker` and the loaders of `models`,
loaded when it is first asked for.

    import star_tracker

    with star_tracker.FaceTracker(star_tracker.load_landmarker()) as faces:
        ...
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # as it is installed
    from . import models as models
    from . import tracker as tracker
    from .models import *  # noqa: F403
    from .tracker import *  # noqa: F403

_PARTS = ("models", "tracker")
_IS_INSTALLED = find_spec(f"{__name__}.tracker") is not None
"""In a checkout both lie at the top of the path."""


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return _part(name)
    if name == "__all__":
        return [*_PARTS, *_part("models").__all__, *_part("tracker").__all__]
    if not name.startswith("__"):
        for part in map(_part, _PARTS):
            if name in part.__all__:
                return getattr(part, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _part(name: str) -> Any:
    whole = f"{__name__}.{name}"
    module = import_module(whole if _IS_INSTALLED else name)
    sys.modules[whole] = module
    return module


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})
