"""How far landmarks lie from annotations."""
