"""Runs: what a backend is, a run as a stream of events, and the handle that people hold."""
