"""The experiments of runs, by name; created if they are missing."""

from __future__ import annotations

from kfnb.remote.kfp.names import ResourceNames, name_in
from kfnb.remote.kfp.paging import called, every
from kfnb.remote.kfp.server import Exists, KfpServer
from kfnb.resources.experiments.model import Experiment
from kfnb.resources.runs.selection import DEFAULT_EXPERIMENT as DEFAULT
from kfnb.text.timestamps import seconds


class Experiments:
    """The experiments of a server, cached."""

    def __init__(self, server: KfpServer) -> None:
        self._server = server
        self._ids: dict[str, str] = {}
        self._names = ResourceNames(server, "/experiments")

    def find(self, name: str) -> str:
        """The id of an experiment; empty for an unknown name."""
        if name not in self._ids:
            namespace = self._server.users_namespace
            found = self._server.get("/experiments", filter=called(name), namespace=namespace)
            for experiment in found.get("experiments") or ():
                self._remember(experiment["experiment_id"], name_in(experiment) or name)
        return self._ids.get(name, "")

    def needed(self, name: str) -> str:
        """The id of an experiment, which is created if it is missing.

        Empty for no experiment: a single-user server then uses its default; a multi-user server requires one.
        """
        if not name and not self._server.users_namespace:
            return ""
        name = name or DEFAULT
        return self.find(name) or self._make(name)

    def name(self, identifier: str) -> str:
        """The name of an experiment; its id if the name is unknown."""
        name = self._names.of(identifier)
        if name != identifier:
            self._ids.setdefault(name, identifier)
        return name

    def all(self) -> list[Experiment]:
        """The experiments that are not archived."""
        answers = every(self._server, "/experiments", "experiments", namespace=self._server.users_namespace)
        found = [one for one in answers if one.get("storage_state") != "ARCHIVED"]
        for one in found:
            self._remember(str(one["experiment_id"]), name_in(one))
        return [
            Experiment(
                id=str(one["experiment_id"]),
                name=name_in(one),
                description=str(one.get("description", "")),
                created=seconds(one.get("created_at")),
                last_run=seconds(one.get("last_run_created_at")),
            )
            for one in found
        ]

    def forget(self, name: str) -> None:
        """Remove an id from the cache: another user may have deleted the experiment."""
        self._ids.pop(name or DEFAULT, None)

    def _make(self, name: str) -> str:
        body = {"display_name": name, "namespace": self._server.users_namespace}
        try:
            made = self._server.request("POST", "/experiments", body)
        except Exists:  # another process was faster
            self.forget(name)
            return self.find(name)
        self._remember(made["experiment_id"], name)
        return self._ids[name]

    def _remember(self, identifier: str, name: str) -> None:
        self._ids[name] = identifier
        self._names.remember(identifier, name)
