"""Tracks on films without truth: anybody's own recording."""
