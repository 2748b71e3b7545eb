"""Cells of ours that run as any cell does: by the words that begin them."""

from __future__ import annotations

HEADS = ("%%kf_component", "%%kf_parameters")
"""Cells that begin with one of these run as any cell, and are something more."""

TRIAL = "%%kf_tune"
"""A cell that begins with this does not run here: it is the trial of a study."""
