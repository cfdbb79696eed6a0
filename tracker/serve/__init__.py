"""A page that shows what the tracker sees: the browser's camera, or a file that is sent to it."""
