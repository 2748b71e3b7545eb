"""Previews: the beginning of an artifact's content, for looking at."""

from kfnb.backends.previews.preview import preview

__all__ = ["preview"]
