"""How a cluster on this machine is shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kfnb.aliases import with_former_names
from kfnb.commands.display import Display
from kfnb.resources.localcluster.model import LocalClusterStatus
from kfnb.resources.localcluster.view import draw_local_cluster


def _data(how: LocalClusterStatus) -> dict[str, Any]:
    data = with_former_names(asdict(how), {"told": "message", "wanted": "desired"})
    return {**data, "ready": how.ready}


DISPLAYS = {LocalClusterStatus: Display(draw_local_cluster, _data)}
