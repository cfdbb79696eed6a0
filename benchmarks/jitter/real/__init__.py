"""What virtual clips cannot show: the same trackers on real films, and whether ranks agree."""
