"""The filter: from noisy landmarks with covariances to calm ones; NumPy only."""
