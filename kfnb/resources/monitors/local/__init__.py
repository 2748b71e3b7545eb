"""Monitors on this machine: their looks are ticks of a schedule."""
