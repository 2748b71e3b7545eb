"""Monitors on this machine: their checks are ticks of a schedule."""
