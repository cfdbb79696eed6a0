"""How good head pose, eyes and expression are."""
