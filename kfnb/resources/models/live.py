"""How a leaderboard is followed in a page: by its static HTML, drawn anew when a version or an alias is new."""

from __future__ import annotations

import hashlib
import time

from kfnb.jobs.polling import Pace
from kfnb.live.followables import Followable
from kfnb.resources.models import api
from kfnb.resources.models.leaderboard import Leaderboard, LeaderboardQuery, ShownLeaderboard
from kfnb.resources.models.view.leaderboard import draw_leaderboard

_HERE, _ELSEWHERE = Pace(0.5, 2.0), Pace(5.0, 30.0)
"""How often it is polled: where a change shows in the times of files, and where all has to be asked for."""
_DAMAGE = 30.0
"""Seconds after which the data store is asked again what is damaged."""


def _name(board: Leaderboard) -> str:
    """Leaderboards about the same are one in the page, however often the cell runs."""
    return hashlib.sha256(repr(board.query or id(board)).encode()).hexdigest()[:16]


class LeaderboardSubject:
    """A leaderboard that is displayed. It is asked for anew when the registry has changed."""

    type = "leaderboard"

    def __init__(self, board: Leaderboard) -> None:
        self.id = _name(board)
        self.over = board.query is None
        self._query = board.query or LeaderboardQuery()
        self._shown = ShownLeaderboard(board)
        self._stamp, self._marked = "", 0.0
        known = board.query is not None and api.stamp_of(board.query)
        self.pace = _HERE if known else _ELSEWHERE

    @property
    def shown(self) -> ShownLeaderboard:
        """The leaderboard as of the last poll."""
        return self._shown

    def refresh(self) -> bool:
        """Poll once more; return whether anything is new. Raises ``BackendError``."""
        before, stamp = self._shown, "" if self.over else api.stamp_of(self._query)
        changed = not self.over and (not stamp or stamp != self._stamp)
        if changed or time.monotonic() - self._marked > _DAMAGE:
            board = api.leaderboard(self._query) if changed else before.board
            self._stamp, self._marked = stamp, time.monotonic()
            self._shown = board.snapshot()
        return self._shown != before


FOLLOWABLES = (
    Followable(
        "leaderboard",
        Leaderboard,
        name=_name,
        draw=draw_leaderboard,
        subject=lambda _, board: LeaderboardSubject(board),
        line=lambda shown: f"{len(shown.board)} entries. A cell above shows the leaderboard",
    ),
)
