"""How runs and their tasks are drawn."""
