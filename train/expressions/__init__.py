"""Training of the network of expressions: what a face does, and how its head is turned."""
