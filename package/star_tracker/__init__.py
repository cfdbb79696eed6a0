"""Face landmarks on video that hold still when the face does, each with its covariance.

The one import name of the installed package: everything of `tracker` and the loaders of `models`.

    import star_tracker

    with star_tracker.FaceTracker(star_tracker.load_landmarker()) as faces:
        ...
"""

import sys
from typing import TYPE_CHECKING, Any

try:
    from . import models, tracker
except ImportError:  # a checkout, where both lie at the top of the path
    import models  # type: ignore[no-redef]
    import tracker  # type: ignore[no-redef]

    sys.modules[f"{__name__}.models"], sys.modules[f"{__name__}.tracker"] = models, tracker

if TYPE_CHECKING:  # as it is installed
    from .models import *  # noqa: F403
    from .tracker import *  # noqa: F403

__all__ = ["models", "tracker"]
__all__ += models.__all__ + tracker.__all__


def __getattr__(name: str) -> Any:
    for module in (tracker, models):
        if name in module.__all__:
            return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
