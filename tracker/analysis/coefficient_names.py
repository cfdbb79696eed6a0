"""Which of ARKit's coefficients may be said of a face, in the order of tables."""

BLINKS = ("eyeBlinkRight", "eyeBlinkLeft")
"""From the lids."""
EYE_LOOKS = tuple(
    f"eyeLook{way}{side}" for side in ("Right", "Left") for way in ("In", "Out", "Up", "Down")
)
"""From the gaze."""
BY_EXPRESSION_NETWORK = ("jawOpen", "mouthSmileLeft", "mouthSmileRight")
"""Those of the shipped network of expressions that follow the truth."""


def coefficient_columns(carried: tuple[str, ...]) -> tuple[str, ...]:
    """All of them.

    Args:
        carried: Those that the landmarks carry.
    """
    added = (name for name in BY_EXPRESSION_NETWORK if name not in carried)
    return (*BLINKS, *EYE_LOOKS, *carried, *added)
