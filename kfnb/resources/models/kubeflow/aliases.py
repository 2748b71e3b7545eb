"""Aliases on a registry that has none: an append-only log, and custom properties that show where each alias stands.

The registry replaces all custom properties of an object at once, and has no condition for that, so two people who
change one would undo each other. What it does have is a unique ``externalId``. So each move is an artifact of the
version that the alias moves to, with the external id ``kfnb:alias:MODEL:ALIAS:NUMBER``: of two who make number 7, one
is refused and reads what the other did. That log is the truth. ``kfnb.alias.NAME`` of the RegisteredModel repeats
where it ends, for the registry's page and other clients; a move repairs it if it was interrupted or edited by hand.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kfnb.errors import BackendError
from kfnb.remote.model_registry.server import RegistryServer, Taken
from kfnb.resources.models.kubeflow.properties import plain, text
from kfnb.resources.models.model import AliasChange
from kfnb.resources.models.moves import AliasMove, check_move, kind_of

Json = Mapping[str, Any]

PROPERTY = "kfnb.alias."
_ID = re.compile(r"kfnb:alias:(?P<model>\d+):(?P<alias>.+):(?P<number>\d+)")
_TRIES = 5
"""How often a move, or the properties after it, is tried again while others move the model's aliases."""


@dataclass(frozen=True)
class Entry:
    """A move in the log: the ``number``-th of its alias. ``token`` tells it from another's with the same number.

    ``id`` is the artifact's, which the registry gives in the order of the moves, whatever the clients' clocks say.
    """

    id: int
    model_id: str
    number: int
    change: AliasChange
    token: str


class AliasLog:
    """The log of all aliases in a registry."""

    def __init__(self, server: RegistryServer) -> None:
        self._server = server

    def entries(self, names: Mapping[str, str], model_id: str = "") -> list[Entry]:
        """The moves of a model's aliases, or of all models', oldest first; ``names`` has the models' names by id."""
        prefix = f"kfnb:alias:{model_id}:" if model_id else "kfnb:alias:"
        found = [
            _entry(one, names)
            for one in self._server.list(
                "/artifacts", artifactType="doc-artifact", filterQuery=f"externalId LIKE '{prefix}%'"
            )
        ]
        known = [one for one in found if one is not None and model_id in ("", one.model_id)]
        return sorted(known, key=lambda one: (one.model_id, one.change.alias, one.number))

    def append(self, model_id: str, move: AliasMove, carrier: str) -> AliasChange:
        """Add a move to the log, to the version with the id ``carrier``. Raises ``Conflict``, ``UsageError``."""
        token = uuid.uuid4().hex
        for _ in range(_TRIES):
            known = self.entries({model_id: move.model}, model_id)
            sent = next((one for one in known if one.token == token), None)
            if sent is not None:  # the answer to an earlier try was lost
                return sent.change
            mine = [one for one in known if one.change.alias == move.alias]
            last = mine[-1].change if mine else None
            check_move(move, last, standing(known))
            if last is not None and last.to_version == move.to:
                return last
            change = move.change(last.to_version if last else None)
            number = mine[-1].number + 1 if mine else 1
            try:
                self._server.create(
                    f"/model_versions/{carrier}/artifacts", _body(model_id, number, change, token)
                )
            except Taken:
                continue
            return change
        raise BackendError(
            f"alias {move.ref} was moved by others during each of {_TRIES} attempts; try again later",
            ref=move.ref,
        )

    def show(self, model_id: str) -> None:
        """Write where the aliases stand into the properties of their model, until that is still so afterwards."""
        for _ in range(_TRIES):
            answer = self._server.get(f"/registered_models/{model_id}")
            properties = dict(answer.get("customProperties") or {})
            kept = {name: value for name, value in properties.items() if not name.startswith(PROPERTY)}
            named = standing(self.entries({}, model_id))
            desired = kept | {f"{PROPERTY}{alias}": text(str(number)) for alias, number in named.items()}
            if desired == properties:
                return
            self._server.update(f"/registered_models/{model_id}", {"customProperties": desired})


def standing(entries: Iterable[Entry]) -> dict[str, int]:
    """The version that each alias of one model names, by the entries of its log."""
    last = {one.change.alias: one.change.to_version for one in entries}
    return {alias: number for alias, number in last.items() if number is not None}


def _body(model_id: str, number: int, change: AliasChange, token: str) -> Json:
    properties = {
        "kfnb.from": _version(change.from_version),
        "kfnb.to": _version(change.to_version),
        "kfnb.by": change.by,
        "kfnb.at": repr(change.at),
        "kfnb.because": change.because,
        "kfnb.token": token,
    }
    if change.kind is not kind_of("", change.because):
        properties["kfnb.kind"] = str(change.kind)
    return {
        "artifactType": "doc-artifact",
        "name": f"kfnb.alias.{change.alias}.{number:06d}",
        "externalId": f"kfnb:alias:{model_id}:{change.alias}:{number:06d}",
        "description": f"{change.by} moved {change.alias} from {change.from_version} to {change.to_version}",
        "customProperties": {name: text(value) for name, value in properties.items()},
    }


def _entry(answer: Json, names: Mapping[str, str]) -> Entry | None:
    """The move that an artifact holds; None for another artifact."""
    found = _ID.fullmatch(str(answer.get("externalId") or ""))
    if found is None:
        return None
    own = plain(answer.get("customProperties") or {})
    because = str(own.get("kfnb.because", ""))
    try:
        change = AliasChange(
            model=names.get(found["model"], ""),
            alias=found["alias"],
            from_version=_number(own["kfnb.from"]),
            to_version=_number(own["kfnb.to"]),
            by=str(own["kfnb.by"]),
            at=float(own["kfnb.at"]),
            because=because,
            kind=kind_of(str(own.get("kfnb.kind", "")), because),
        )
        id = int(answer["id"])
    except (KeyError, TypeError, ValueError):
        return None
    return Entry(id, found["model"], int(found["number"]), change, str(own.get("kfnb.token", "")))


def _version(number: int | None) -> str:
    return "" if number is None else str(number)


def _number(value: str) -> int | None:
    return int(value) if value else None
