"""Provenance: what something was made with, in ten layers, and how two of them differ."""
