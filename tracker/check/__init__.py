"""What a camera, its light and this machine are good for: measured, judged, and what to do."""
