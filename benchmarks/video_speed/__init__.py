"""Time of reading and writing videos, paired with other ways of doing it."""
