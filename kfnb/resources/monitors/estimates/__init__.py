"""Metrics that are estimated without labels, by the probabilities of a calibrated classifier."""
