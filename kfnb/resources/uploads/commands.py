"""The commands of uploaded pipelines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kfnb.commands.command import Command, flag, option, word
from kfnb.commands.parser import Parser
from kfnb.commands.session import Session
from kfnb.errors import UsageError
from kfnb.resources.uploads import api

if TYPE_CHECKING:
    from kfnb.resources.uploads.model import UploadedPipeline, UploadList


@dataclass(frozen=True, kw_only=True)
class UploadPipeline(Command):
    """Upload a pipeline to the cluster; as a new version if its name exists there."""

    binds = True
    json = "print the uploaded pipelines as JSON"

    pipeline: str | None = word(
        "a pipeline's name, or a compiled file; with --list, the name of an uploaded pipeline",
        values="pipeline",
        default=None,
    )
    name: str | None = option(help="its name there (default: the pipeline's own)")
    version: str | None = option(help="the version's name (default: the time)")
    description: str = option(default="", help="a short description")
    list: bool = flag(help="list the uploaded pipelines, or all versions of one")

    def check(self, parser: Parser) -> None:
        """Require a pipeline."""
        if not self.list and not self.pipeline:
            raise UsageError(f"{parser.prog}: a pipeline is required, or --list to list uploaded pipelines")

    def run(self, session: Session) -> UploadedPipeline | UploadList:
        """Upload it, or list those that were uploaded."""
        if self.list:
            return api.uploads(self.pipeline or "")
        return api.upload(
            self.pipeline,
            name=self.name,
            version=self.version,
            description=self.description,
            notify=session.notify,
        )
