"""Versions of a model moved from one registry to another: push, pull."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kfnb.resources.models.engine import ModelRegistry, VersionQuery
from kfnb.resources.models.model import ModelState, VersionSnapshot


@dataclass(frozen=True)
class Transfer:
    """What a transfer did. ``versions`` has the number there by the number here, oldest first.

    ``aliases`` were set, as they did not exist there. Of ``left`` aliases, which name another version there, nothing
    was changed: by the alias, the version there and the one that it names here.
    """

    model: str
    source: str
    target: str
    versions: Mapping[int, int] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def transfer(
    source: ModelRegistry, target: ModelRegistry, name: str, *, version: int | None = None, by: str
) -> Transfer:
    """Register all versions of a model, or one, in another registry, and set the aliases that it does not have.

    A version whose content is there already is the same version, so that a transfer which was cut off is done again.
    An alias that exists there is never moved: it may be what is in production. Raises ``UsageError`` for an unknown
    model or version, ``BackendError``.
    """
    chosen = _chosen(source, name, version)
    numbers = {one.version: _sent(source, target, one) for one in chosen}
    there = _aliases(target, name)
    wanted = {alias: numbers[one.version] for one in chosen for alias in one.aliases}
    for alias in sorted(wanted.keys() - there.keys()):
        because = f"copied from the {source.name} registry"
        target.move_alias(name, alias, wanted[alias], expected=None, by=by, because=because)
    return Transfer(
        model=name,
        source=source.name,
        target=target.name,
        versions=numbers,
        aliases={alias: number for alias, number in sorted(wanted.items()) if alias not in there},
        left={
            alias: (there[alias], number)
            for alias, number in sorted(wanted.items())
            if alias in there and there[alias] != number
        },
    )


def _chosen(source: ModelRegistry, name: str, version: int | None) -> list[VersionSnapshot]:
    if version is not None:
        return [source.version(name, version)]
    listed = source.versions(VersionQuery(name=name, archived=True))
    return [source.version(name, one.version) for one in sorted(listed, key=lambda one: one.version)]


def _sent(source: ModelRegistry, target: ModelRegistry, version: VersionSnapshot) -> int:
    draft = replace(version, version=0, uri="", aliases=(), state=ModelState.LIVE)
    number = target.register(draft, source.download(version)).version
    if version.state is ModelState.ARCHIVED:
        target.set_state(version.name, number, ModelState.ARCHIVED)
    return number


def _aliases(target: ModelRegistry, name: str) -> Mapping[str, int]:
    """The aliases there; the model exists by now."""
    return next((one.aliases for one in target.models(archived=True) if one.name == name), {})
