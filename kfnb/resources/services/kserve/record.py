"""What kfnb keeps of a service in the cluster: what is requested of it, and who changed that.

It is a config map beside the InferenceService and owned by that. An annotation would not do: KServe copies those to
the pods, so that each change of the history would start new ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kfnb.errors import BackendError
from kfnb.remote.kubernetes.fields import Item, at, word
from kfnb.resources.services.desired_json import as_json, desired_of, known
from kfnb.resources.services.kserve.objects import SERVICE
from kfnb.resources.services.kserve.predictor import ServingPlace
from kfnb.resources.services.model import DesiredState, ServiceMove, Target

MOST_MOVES = 100
"""The newest changes that are kept."""
_FILE = "service.json"


@dataclass(frozen=True)
class WrittenRevision:
    """A revision as it is written into an InferenceService. ``place`` is where its folder is."""

    predictor: Item
    place: ServingPlace
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ServiceRecord:
    """What is known of a service beside its objects. ``history`` is the newest first.

    ``made_here`` is false for an InferenceService that something else than kfnb made.
    """

    name: str
    desired: DesiredState
    written: Mapping[int, WrittenRevision]
    history: tuple[ServiceMove, ...] = ()
    owner: str = ""
    created: float | None = None
    version: str = field(default="", compare=False)
    made_here: bool = True

    def target(self, number: int) -> Target | None:
        """The target of a revision that is requested, or was."""
        known_targets = (*self.desired.targets, *self.desired.earlier)
        return next((one for one in known_targets if one.revision == number), None)

    def placed_like(self, target: Target) -> WrittenRevision | None:
        """A revision of the same version, whose folder does for ``target``: a rollback serves the same bytes."""
        for number, one in self.written.items():
            known_target = self.target(number)
            if known_target is not None and _folder_of(known_target) == _folder_of(target):
                return one
        return None

    def changed(self, desired: DesiredState, written: Mapping[int, WrittenRevision]) -> ServiceRecord:
        """The record when something else is requested; revisions that no one goes back to are left out."""
        needed = {one.revision for one in (*desired.targets, *desired.earlier)}
        every = {**self.written, **written}
        return replace(
            self,
            desired=desired,
            written={number: one for number, one in every.items() if number in needed},
            history=(desired.move, *self.history)[:MOST_MOVES],
        )


def _folder_of(target: Target) -> tuple[str, ...]:
    return target.ref, target.digest, target.image, target.runtime


def record_name(service: str) -> str:
    """The name of the config map."""
    return f"kfnb-service-{service}"


def as_config_map(record: ServiceRecord, service: Item) -> dict[str, Any]:
    """The config map, owned by the InferenceService."""
    content = {
        "desired": as_json(record.desired),
        "history": [asdict(one) for one in record.history],
        "written": {str(number): asdict(one) for number, one in record.written.items()},
        "owner": record.owner,
        "created": record.created,
    }
    owner = {
        "apiVersion": service["apiVersion"],
        "kind": service["kind"],
        "name": record.name,
        "uid": at(service, "metadata", "uid"),
    }
    metadata = {"name": record_name(record.name), "labels": {SERVICE: record.name}}
    metadata |= {"resourceVersion": record.version} if record.version else {}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {**metadata, "ownerReferences": [owner]},
        "data": {_FILE: json.dumps(content, separators=(",", ":"))},
    }


def record_of(config_map: Item, name: str) -> ServiceRecord:
    """The record in a config map. Raises ``BackendError`` if it is damaged."""
    try:
        content = json.loads(word(config_map, "data", _FILE))
        return ServiceRecord(
            name,
            desired_of(content["desired"]),
            {int(number): _written(one) for number, one in content["written"].items()},
            tuple(known(ServiceMove, one) for one in content["history"]),
            str(content["owner"]),
            content["created"],
            word(config_map, "metadata", "resourceVersion"),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        where = f"config map {record_name(name)}"
        hint = f"delete service {name}, and serve its model again"
        raise BackendError(
            f"{where} is damaged: it does not hold what is requested of service {name}:", hint=hint, ref=name
        ) from None


def _written(stored: Mapping[str, Any]) -> WrittenRevision:
    urls = tuple(stored["place"]["index_urls"])
    return known(
        WrittenRevision, {**stored, "place": replace(known(ServingPlace, stored["place"]), index_urls=urls)}
    )
