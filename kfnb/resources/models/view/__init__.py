"""How models are drawn."""
