"""The program that serves a model folder; it is copied beside the model, and needs no kfnb there.

A module here imports, of kfnb, this package and ``kfnb.capture.embedded`` alone: ``deployment`` copies both.
"""
