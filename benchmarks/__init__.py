"""Measurements, each `python -m benchmarks.NAME`; nothing else imports them."""
