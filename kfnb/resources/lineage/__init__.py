"""Lineage: what was made of what, across runs, versions of data sets and versions of models."""
