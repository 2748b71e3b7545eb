"""The command that shows how much a version depends on each column."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.commands.command import Command, flag, option, repeated, word
from kfnb.commands.session import Session
from kfnb.resources.models import api
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.models.importance_report import ImportanceReport


@dataclass(frozen=True, kw_only=True)
class ShowImportance(Command):
    """Show how much a version depends on each column: what its score loses when the column is shuffled."""

    binds = True
    json = "print the columns as JSON"

    version: str = word("a version: NAME@3, NAME@champion, or NAME for the newest", values="model version")
    data: str = word("the rows: a name of the notebook, or a version of a data set", values="data version")
    target: str = option(required=True, help="the column that has what the model should predict")
    repeats: int = option(type=int, default=5, help="how often each column is shuffled (default 5)")
    pickle: bool = flag(help="allow a pickle, which executes code when it is loaded")
    trust: tuple[str, ...] = repeated(metavar="TYPE", help="a type in the model that is known to be safe")

    def run(self, session: Session) -> ImportanceReport:
        """Compute it."""
        held = session.names.get(self.version)
        version = held if isinstance(held, ModelVersion) else api.model(self.version)
        data = session.names.get(self.data, self.data)
        return version.importance(
            data, self.target, repeats=self.repeats, pickle=self.pickle, trust=self.trust
        )
