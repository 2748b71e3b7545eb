"""Searches on this machine, with Optuna: a separate process drives each study, which outlives the kernel."""
