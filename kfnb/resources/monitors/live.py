"""How a monitor is followed in a page: by its static HTML."""

from __future__ import annotations

from kfnb.live.followables import Followable
from kfnb.resources.monitors.api import engine_of
from kfnb.resources.monitors.handle import Monitor
from kfnb.resources.monitors.snapshot import MonitorSnapshot
from kfnb.resources.monitors.view.monitor import draw_monitor
from kfnb.resources.monitors.view.states import monitor_style


def _id(monitor: Monitor) -> str:
    return f"{monitor.backend}/{monitor.name}"


def _find(id: str) -> Monitor:
    backend, _, name = id.partition("/")
    return Monitor(engine_of(backend), name)


def _line(now: MonitorSnapshot) -> str:
    state = monitor_style(now.state).word
    return f"monitor {now.name}: {state}. A cell above shows it; %kf_monitors show {now.name} draws it here"


FOLLOWABLES = (Followable("monitor", Monitor, name=_id, find=_find, draw=draw_monitor, line=_line),)
