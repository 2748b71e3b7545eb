"""Prices of cores, memory, GPUs and volumes by the hour, and what they make of what was occupied."""
