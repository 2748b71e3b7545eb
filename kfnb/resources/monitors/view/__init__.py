"""How monitors are drawn."""
