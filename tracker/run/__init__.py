"""Runs: frames from a source through a tracker into outputs, one or several at a time."""
