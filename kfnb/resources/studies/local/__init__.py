"""Searches on this machine, with Optuna: a separate process drives each study, so that the study outlives the kernel."""
