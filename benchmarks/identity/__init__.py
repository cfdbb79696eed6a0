"""Whether every person keeps one id: virtual scenes with known people."""
