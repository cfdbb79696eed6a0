"""The kit that travels: virtual clips as files, their truth, and the rules by which to score."""
