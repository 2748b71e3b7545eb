"""How data sets are drawn."""

from kfnb.resources.datasets.view.diff import draw_diff
from kfnb.resources.datasets.view.version import draw_verification, draw_version, draw_versions

__all__ = ["draw_diff", "draw_verification", "draw_version", "draw_versions"]
