"""Kettles of a server on the cluster."""
