"""What there is in a cluster, as its user may see it, and whether all is well with it."""
