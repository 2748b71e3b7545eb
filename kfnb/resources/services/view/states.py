"""The word, icon and colour of a service's state, and of a revision's."""

from __future__ import annotations

from kfnb.entities import RunState
from kfnb.resources.services.model import RevisionState, ServiceState
from kfnb.ui import theme
from kfnb.ui.states import StateStyle, style_of

_READY = StateStyle("✓", "Ready", theme.GREEN, "M4.6 8.3 L7 10.6 L11.4 5.8", solid=True)
_STOPPED = StateStyle("■", "Stopped", theme.GREY, "M5.8 5.8 H10.2 V10.2 H5.8 Z", solid=True)

_OF_SERVICES = {
    ServiceState.PENDING: style_of(RunState.PENDING),
    ServiceState.READY: _READY,
    ServiceState.DEGRADED: StateStyle("◐", "Degraded", theme.AMBER, "M8 4.5 V9 M8 11.3 V11.4", solid=True),
    ServiceState.FAILED: style_of(RunState.FAILED),
    ServiceState.STOPPED: _STOPPED,
}
_OF_REVISIONS = {
    RevisionState.PENDING: style_of(RunState.PENDING),
    RevisionState.READY: _READY,
    RevisionState.DRAINING: StateStyle("◐", "Draining", theme.AMBER, "M6 6 H10 V10 H6 Z"),
    RevisionState.FAILED: style_of(RunState.FAILED),
    RevisionState.STOPPED: _STOPPED,
}


def service_style(state: ServiceState) -> StateStyle:
    """How the state of a service is shown."""
    return _OF_SERVICES[state]


def revision_style(state: RevisionState) -> StateStyle:
    """How the state of a revision is shown."""
    return _OF_REVISIONS[state]
