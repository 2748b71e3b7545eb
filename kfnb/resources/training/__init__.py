"""Trainings: components that several processes execute."""
