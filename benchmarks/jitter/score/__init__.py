"""Figures of anybody's tracks on the kit."""
