"""How costs are drawn."""
