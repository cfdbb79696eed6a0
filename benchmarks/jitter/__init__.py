"""Frame-to-frame noise and lag of landmark filters."""
