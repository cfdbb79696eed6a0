"""One question each: how fast, how exact, how still."""
