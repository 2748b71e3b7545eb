"""Rows of ``registry.db`` as records, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from kfnb.resources.models.model import (
    ModelSource,
    ModelState,
    Signature,
    VersionSnapshot,
)
from kfnb.resources.models.signature import signature_of

COLUMNS = (
    "m.name, v.version, v.digest, v.format, v.size, v.state, v.metrics, v.metrics_data, v.data, v.tags, v.owner,"
    " v.created, v.description, v.others, v.data_digests"
)
"""What ``outlines`` reads, in this order."""

_STATES = {str(state): state for state in ModelState}
_LEFT_OUT: Mapping[str, Any] = {
    "uri": "",
    "parameters": {},
    "source": ModelSource(),
    "signature": Signature(),
    "packages": {},
    "python": "",
    "code": "",
    "transform": "",
}
"""What an outline has of a version's record."""


def record_of(draft: VersionSnapshot) -> str:
    """What of a version is in no column, as JSON."""
    return json.dumps(
        {
            "parameters": dict(draft.parameters),
            "source": asdict(draft.source),
            "signature": asdict(draft.signature),
            "packages": dict(draft.packages),
            "python": draft.python,
            "code": draft.code,
            "transform": draft.transform,
        }
    )


def outlines(rows: list[Any], aliases: Mapping[str, Mapping[int, tuple[str, ...]]]) -> list[VersionSnapshot]:
    """Versions without what is in ``record``. All JSON of ten thousand rows is parsed at once, which is faster."""
    if not rows:
        return []
    columns = _columns(rows, 6, 8, 9, 13, 14)
    parsed = [json.loads(f"[{','.join(column)}]") for column in columns]
    by_model = {name: by_alias(versions) for name, versions in aliases.items()}
    found = []
    for row, own_metrics, own_data, own_tags, own_others, own_digests in zip(rows, *parsed, strict=True):
        name, version, digest, form, size, state, _, metrics_data, _, _, owner, created, description = row[
            :13
        ]
        found.append(
            _made(
                **_LEFT_OUT,
                name=name,
                version=version,
                digest=digest,
                format=form,
                size=size,
                state=_STATES.get(state, ModelState.LIVE),
                metrics=own_metrics,
                data=tuple(own_data),
                metrics_data=metrics_data,
                others=own_others,
                data_digests=own_digests,
                owner=owner,
                created=created,
                description=description,
                tags=own_tags,
                aliases=aliases.get(name, {}).get(version, ()),
                model_aliases=by_model.get(name, {}),
            )
        )
    return found


def by_alias(versions: Mapping[int, tuple[str, ...]]) -> dict[str, int]:
    """The version that each alias names, from the aliases of each version."""
    return dict(sorted((alias, version) for version, aliases in versions.items() for alias in aliases))


def _columns(rows: Iterable[Any], *indices: int) -> Iterable[list[str]]:
    return ([row[index] for row in rows] for index in indices)


def _made(**fields: Any) -> VersionSnapshot:
    """A version from all of its fields. The constructor of a frozen class takes ten times as long."""
    made = object.__new__(VersionSnapshot)
    object.__setattr__(made, "__dict__", fields)
    return made


def with_record(outline: VersionSnapshot, text: str, uri: str) -> VersionSnapshot:
    """The whole version."""
    record = json.loads(text)
    return _made(
        **{
            **vars(outline),
            "uri": uri,
            "parameters": record["parameters"],
            "source": ModelSource(**record["source"]),
            "signature": signature_of(record["signature"]),
            "packages": record["packages"],
            **{name: record[name] for name in ("python", "code", "transform")},
        }
    )
