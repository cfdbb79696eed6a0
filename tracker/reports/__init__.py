"""Pages that show how videos were tracked: one for each, and one for all of them."""
