"""Schedules: pipelines that a cluster runs repeatedly."""
