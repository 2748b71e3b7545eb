"""Schedules: pipelines that run repeatedly, here or on a cluster."""
