"""Searching for the parameters that make an objective best: here with Optuna, on a cluster with Katib."""
