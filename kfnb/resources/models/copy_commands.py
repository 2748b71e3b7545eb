"""The commands that copy models: between registries, from other tools and for them."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.commands.bound_names import resolved
from kfnb.commands.command import Command, flag, option, word
from kfnb.commands.session import Session
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.models.model import Transfer
from kfnb.resources.models.model_export import FORMATS, export_model
from kfnb.resources.models.model_import import import_model
from kfnb.resources.models.transfer import pull, push
from kfnb.target import BACKENDS

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


@dataclass(frozen=True, kw_only=True)
class ImportModel(Command):
    """Register a model of another tool: an MLflow model folder, a file, or a repository of the Hugging Face Hub."""

    binds = True
    json = "print the version as JSON"

    address: str = word("mlflow://PATH, hf://ORG/NAME[@REVISION][/FILE], or the path of a folder or file")
    name: str = option(values="model", required=True, help="the name that it is registered by")
    pickle: bool = flag("--pickle", help="allow a pickle, which executes code when it is loaded")
    backend: str | None = option(values=BACKENDS, help="the registry: local (the default) or kubeflow")

    def run(self, session: Session) -> ModelVersion:
        """Import it."""
        version = import_model(
            self.address, self.name, pickle=self.pickle, backend=self.backend, notify=session.notify
        )
        if version.format == "pickle":
            session.notify(f"{version.ref} is a pickle, which executes code when it is loaded")
        return version


@dataclass(frozen=True, kw_only=True)
class ExportModel(Command):
    """Write a version as a folder of another tool: --format mlflow is an MLflow model folder."""

    version: str = word("a version: NAME@3, NAME@champion, or NAME for the newest", values="model version")
    folder: str = word("the folder, which must not exist yet or be empty", metavar="FOLDER")
    format: str = option(values=FORMATS, default="mlflow", help="the tool: mlflow (the default)")

    def run(self, session: Session) -> None:
        """Export it."""
        version = resolved(session.names, self.version, ModelVersion)
        target = export_model(version, self.folder, tool=self.format, notify=session.notify)
        session.notify(f"exported to {target}")
