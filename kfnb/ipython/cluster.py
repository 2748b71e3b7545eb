"""The magics that tell of the cluster."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kfnb import options
from kfnb.ipython.magic import Magics, reads
from kfnb.resources.cluster import api
from kfnb.resources.cluster.view.status import draw_status

if TYPE_CHECKING:
    from kfnb.model.cluster import Status


class ClusterMagics(Magics):
    """Where one is."""

    @reads(options.status)
    def kf_status(self, line: str) -> Status | None:
        found = options.status().read(line)
        if not found.watch or not self.kernel.attended:
            return self.bound(found.bind, api.status())
        self._watch(found.bind)
        return None

    def _watch(self, name: str | None) -> None:
        """Draw the status again and again in one place, until the cell is interrupted."""
        from IPython.display import display

        place = None
        with suppress(KeyboardInterrupt):
            for status in api.following():
                drawn = draw_status(self.bound(name, status))
                if place is None:
                    place = display(drawn, raw=True, display_id=True)
                else:
                    place.update(drawn, raw=True)
