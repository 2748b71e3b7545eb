"""How services look."""
