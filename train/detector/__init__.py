"""Training of the face detector: labelled pictures, composed scenes, targets, the run itself."""
