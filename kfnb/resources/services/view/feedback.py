"""``draw_feedback``: what became of labels."""

from __future__ import annotations

from kfnb.resources.services.receipt import FeedbackReceipt
from kfnb.ui.blocks import Text, bundle


def draw_feedback(receipt: FeedbackReceipt) -> dict[str, str]:
    """A receipt as a mimebundle."""
    return bundle("Labels", [Text(f"{receipt.sentence}.")])
