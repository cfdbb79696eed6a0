"""Whether covariances match the errors."""
