"""Studies: searches for the parameters that make an objective best."""
