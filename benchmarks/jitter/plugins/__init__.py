"""Trackers and filters that plug in, and the examples that come along."""
