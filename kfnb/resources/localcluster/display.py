"""How a cluster on this machine is shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kfnb.commands.display import Display
from kfnb.resources.localcluster.lifecycle import Standing
from kfnb.resources.localcluster.view import draw_standing


def _data(how: Standing) -> dict[str, Any]:
    return {**asdict(how), "ready": how.ready}


DISPLAYS = {Standing: Display(draw_standing, _data)}
