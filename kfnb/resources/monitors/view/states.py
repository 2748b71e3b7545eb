"""The word, icon and colour of a monitor's state, and of an action's."""

from __future__ import annotations

from kfnb.entities import RunState
from kfnb.resources.monitors.model import Action, MonitorState
from kfnb.ui import theme
from kfnb.ui.states import StateStyle, style_of

_OF_MONITORS = {
    MonitorState.OK: StateStyle("✓", "OK", theme.GREEN, "M4.6 8.3 L7 10.6 L11.4 5.8", solid=True),
    MonitorState.NO_DATA: StateStyle("○", "No data", theme.GREY, ""),
    MonitorState.WARNING: StateStyle("◐", "Warning", theme.AMBER, "M8 4.5 V9 M8 11.3 V11.4", solid=True),
    MonitorState.ALARM: StateStyle("✗", "Alarm", theme.RED, "M8 4.5 V9 M8 11.3 V11.4", solid=True),
}
_OF_ACTIONS = {
    "held": StateStyle("‖", "Held", theme.GREY, "M6.3 5.2 V10.8 M9.7 5.2 V10.8"),
    "waiting": style_of(RunState.PENDING),
    "started": style_of(RunState.RUNNING),
    "done": StateStyle("✓", "Done", theme.GREEN, "M4.6 8.3 L7 10.6 L11.4 5.8", solid=True),
    "failed": style_of(RunState.FAILED),
    "skipped": style_of(RunState.SKIPPED),
    "planned": StateStyle("○", "Planned", theme.GREY, ""),
}


def monitor_style(state: MonitorState) -> StateStyle:
    """How the state of a monitor is shown."""
    return _OF_MONITORS[state]


def action_style(action: Action) -> StateStyle:
    """How the state of an action is shown."""
    return _OF_ACTIONS[action.state]
