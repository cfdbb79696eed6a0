"""Training of the eyes' network: pupils, and how far eyes are shut."""
