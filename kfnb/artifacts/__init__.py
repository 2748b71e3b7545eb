"""Artifacts: the beginning of their content, for looking at. Nothing is unpickled."""
