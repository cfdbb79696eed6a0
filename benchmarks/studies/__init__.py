"""Training studies: variants of a recipe, one table each."""
