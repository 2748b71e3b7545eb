"""Studies: how a search and its trials are drawn."""
