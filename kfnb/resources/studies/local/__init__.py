"""Searches on this machine, with Optuna: a process of its own drives each, so that it outlives the kernel."""
