"""Uploaded pipelines: pipelines that a cluster keeps, in versions."""
