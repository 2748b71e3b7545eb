"""The commands that show the cluster's status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kfnb.commands.command import Command, flag
from kfnb.commands.session import Session
from kfnb.diagnostics import LogList
from kfnb.resources.cluster import api
from kfnb.resources.cluster.model import CheckList, CheckOutcome
from kfnb.settings import settings

if TYPE_CHECKING:
    from kfnb.resources.cluster.model import Status


@dataclass(frozen=True, kw_only=True)
class ShowStatus(Command):
    """Show the environment's status: cluster, namespace, user, quota, GPUs, notebooks, runs, studies, services, and
    what is broken.
    """

    binds = True
    json = "print the status as JSON; with --watch, a line each time"

    watch: bool = flag(help="refresh about five times a minute, until interrupted")

    def run(self, session: Session) -> Status | None:
        """Show it, once or again and again."""
        if not self.watch:
            return api.status()
        shown: Status | None = session.repeat(api.status, api.following)
        return shown


@dataclass(frozen=True, kw_only=True)
class RunDoctor(Command):
    """Check this machine, the clients, the connection to the cluster, and what is broken there."""

    json = "print the checks, or the logs, as JSON"

    logs: bool = flag(help="show the places and last lines of kfnb's logs instead")

    def run(self, session: Session) -> CheckList | LogList:
        """Check them, or show the logs."""
        if self.logs:
            return LogList.find(settings().home)
        checks = CheckList(api.examine())
        if any(one.outcome is CheckOutcome.BAD for one in checks):
            session.fail()
        return checks
