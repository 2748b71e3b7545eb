"""The commands that copy models between registries."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.commands.command import Command, word
from kfnb.commands.session import Session
from kfnb.resources.models.model import Transfer
from kfnb.resources.models.transfer import pull, push

_COPIED = "a model, with all its versions; or a version, NAME@3"


@dataclass(frozen=True, kw_only=True)
class PushModel(Command):
    """Copy a model from this machine to the cluster: its versions, and the aliases that the cluster does not have."""

    json = "print what was copied as JSON"

    model: str = word(_COPIED, values="model version")

    def run(self, session: Session) -> Transfer:
        """Copy it."""
        return push(self.model, notify=session.notify)


@dataclass(frozen=True, kw_only=True)
class PullModel(Command):
    """Copy a model from the cluster to this machine: its versions, and the aliases that are not here."""

    json = "print what was copied as JSON"

    model: str = word(_COPIED, values="model version")

    def run(self, session: Session) -> Transfer:
        """Copy it."""
        return pull(self.model, notify=session.notify)
