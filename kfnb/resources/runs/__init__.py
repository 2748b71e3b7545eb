"""Runs of pipelines, on this machine or on a cluster."""
