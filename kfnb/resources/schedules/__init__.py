"""Schedules: pipelines that a cluster runs again and again."""
