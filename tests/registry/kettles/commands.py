"""The commands of kettles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kfnb.commands.command import Command, flag, option, word
from kfnb.commands.parser import Parser
from kfnb.commands.session import FollowOptions, Session
from kfnb.target import BACKENDS
from tests.registry.kettles import api
from tests.registry.kettles.handle import KettleHandle
from tests.registry.kettles.model import KettleList


def _followed(session: Session, kettle: KettleHandle) -> Any:
    session.started(kettle)
    return session.follow(
        FollowOptions(
            kettle,
            begun=f"kettle {kettle.name}",
            updates=kettle.updates,
            line=lambda now: f"{now.degrees:g} °C",
            succeeded=lambda last: last.boils,
            interrupted=f"kettle {kettle.name} is still on",
        )
    )


@dataclass(frozen=True, kw_only=True)
class BoilKettle(Command):
    """Put a kettle on."""

    binds = True
    json = "print the kettle as JSON when it boils"

    name: str = word("the kettle's name")
    goal: float = option(type=float, default=100.0, help="degrees to reach (default 100)")
    seconds: float = option(type=float, default=0.2, help="seconds that it takes (default 0.2)")
    backend: str | None = option(values=BACKENDS, help="where: local or kubeflow")

    def check(self, parser: Parser) -> None:
        """Water does not get hotter."""
        if self.goal > 100:
            parser.error(f"--goal {self.goal:g}: water boils at 100")

    def run(self, session: Session) -> Any:
        """Put it on."""
        kettle = api.boil(self.name, goal=self.goal, seconds=self.seconds, backend=self.backend)
        return _followed(session, kettle)


@dataclass(frozen=True, kw_only=True)
class BoilCell(Command):
    """Put a kettle on for each line of the cell."""

    binds = True

    goal: float = option(type=float, default=100.0, help="degrees to reach (default 100)")

    def run(self, session: Session) -> KettleList:
        """Put them on, and wait for the last."""
        for name in session.body.split():
            api.boil(name, goal=self.goal).wait()
        return api.kettles()


@dataclass(frozen=True, kw_only=True)
class ShowKettle(Command):
    """Show a kettle."""

    binds = True
    json = "print the kettle as JSON"

    name: str = word("the kettle's name", values="kettle")
    stop: bool = flag(help="stop heating it")
    take_off: bool = flag(help="take it off")
    backend: str | None = option(values=BACKENDS, help="where: local or kubeflow")

    def run(self, session: Session) -> KettleHandle | None:
        """Show it."""
        held = session.names.get(self.name)
        kettle = held if isinstance(held, KettleHandle) else api.kettle(self.name, backend=self.backend)
        if self.stop:
            kettle.stop()
        if not self.take_off:
            return kettle
        kettle.take_off()
        session.notify(f"kettle {kettle.name} is off")
        return None


@dataclass(frozen=True, kw_only=True)
class ListKettles(Command):
    """List the kettles."""

    binds = True
    json = "print the kettles as JSON"

    backend: str | None = option(values=BACKENDS, help="where: local or kubeflow")

    def run(self, session: Session) -> KettleList:
        """List them."""
        return api.kettles(backend=self.backend)


@dataclass(frozen=True, kw_only=True)
class EmptyKettle(Command):
    """Pour a kettle out."""

    name: str = word("the kettle's name", values="kettle")
    backend: str | None = option(values=BACKENDS, help="where: local or kubeflow")

    def run(self, session: Session) -> None:
        """Take it off."""
        api.kettle(self.name, backend=self.backend).take_off()
        session.notify(f"kettle {self.name} is empty")
