"""Reliability, measured: long runs, kills, full disks and inputs that nobody thought of."""
