"""Tracks as anybody writes them."""
