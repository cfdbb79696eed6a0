"""Head pose, eyes and expression, read off the landmarks of a face."""
