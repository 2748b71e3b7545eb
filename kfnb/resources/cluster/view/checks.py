"""``draw_checks``: what was checked, and how it came out."""

from __future__ import annotations

from collections.abc import Sequence

from kfnb.resources.cluster.model import Check, CheckOutcome
from kfnb.ui import theme
from kfnb.ui.blocks import Alert, Block, CodeBlock, Items, Text, bundle
from kfnb.ui.states import StateStyle

STYLES = {
    CheckOutcome.GOOD: StateStyle("✓", "Good", theme.GREEN, ""),
    CheckOutcome.DOUBTFUL: StateStyle("!", "Warning", theme.AMBER, ""),
    CheckOutcome.BAD: StateStyle("✗", "Bad", theme.RED, ""),
    CheckOutcome.SKIPPED: StateStyle("○", "Skipped", theme.GREY, ""),
}
_SHOWN_FIRST = (CheckOutcome.BAD, CheckOutcome.DOUBTFUL)


def draw_checks(checks: Sequence[Check]) -> dict[str, str]:
    """Checks as a mimebundle: errors and warnings with what fixes them, the rest a line each."""
    alerts = [_alert(one) for outcome in _SHOWN_FIRST for one in checks if one.outcome is outcome]
    fine = tuple(
        f"{STYLES[one.outcome].icon} {one.name}: {one.message}"
        for one in checks
        if one.outcome not in _SHOWN_FIRST
    )
    return bundle("Checks", [*alerts, *([Items(fine)] if fine else [])])


def _alert(one: Check) -> Alert:
    fix: list[Block] = [CodeBlock(one.fix, value=True)] if one.fix else []
    return Alert(STYLES[one.outcome], one.name, [Text(one.message), *fix])
