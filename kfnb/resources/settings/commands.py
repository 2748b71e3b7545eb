"""The command of settings."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.commands.command import Command, flag, word
from kfnb.commands.session import Session
from kfnb.errors import UsageError
from kfnb.settings import Kfnb, refuse_secret, settings


@dataclass(frozen=True, kw_only=True)
class ShowSettings(Command):
    """Show the settings, or set them: name=value."""

    settings: tuple[str, ...] = word("a setting", many="*", metavar="NAME=VALUE", values="setting")
    insecure: bool = flag(help="set a secret, although it is saved with the notebook")

    def run(self, session: Session) -> Kfnb | None:
        """Set those that are given; show all where none is."""
        for one in self.settings:
            name, equals, value = one.partition("=")
            if not equals:
                raise UsageError(f"{one}: write name=value, or omit it to show the settings")
            if not self.insecure:
                refuse_secret(name.strip(), value.strip())
            settings().set(name.strip(), value.strip())
        return None if self.settings else settings()
