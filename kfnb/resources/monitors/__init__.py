"""Monitors: what is watched of a service after its roll-out, and what is done when it changes."""
