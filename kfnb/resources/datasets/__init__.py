"""Data sets: versions by content."""
