"""Every byte of versions is verified, and that of the data behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kfnb.errors import BackendError
from kfnb.resources.models.api import registry_of
from kfnb.resources.models.checks import is_data_version
from kfnb.resources.models.engine import ModelRegistry, VersionQuery
from kfnb.resources.models.model import ModelDamage, ModelVerification, VersionSnapshot
from kfnb.resources.models.reference import ModelReference, parse, resolve


def verify(*refs: str, backend: str | None = None) -> ModelVerification:
    """Read every byte of versions, by default of all; ``churn`` are all of that model.

    The data behind them is read as well, but not that of a cluster's models, which may be in another data store.
    ``backend`` is where references without a backend are, by default ``local``. Raises ``UsageError``,
    ``BackendError``.
    """
    by_backend: dict[str, list[ModelReference]] = {} if refs else {backend or "local": []}
    for reference in map(parse, refs):
        by_backend.setdefault(reference.backend or backend or "local", []).append(reference)
    found = [_verified(registry_of(name), references) for name, references in by_backend.items()]
    return ModelVerification(
        sum(one.versions for one in found),
        sum(one.size for one in found),
        tuple(damage for one in found for damage in one.damages),
        " ".join(filter(None, (one.note for one in found))),
    )


def _verified(registry: ModelRegistry, references: Sequence[ModelReference]) -> ModelVerification:
    versions = _chosen(registry, references)
    contents = {one.digest or one.ref: one for one in versions}
    problems = {content: registry.problem(one) for content, one in contents.items()}
    damages = [
        ModelDamage(_name(registry, one), "", problem)
        for one in versions
        if (problem := problems[one.digest or one.ref])
    ]
    size = sum(one.size for one in contents.values())
    if registry.name != "local":
        return ModelVerification(len(versions), size, tuple(damages))
    of_data, size_of_data, note = _data_behind(versions)
    return ModelVerification(len(versions), size + size_of_data, (*damages, *of_data), note)


def _chosen(registry: ModelRegistry, references: Iterable[ModelReference]) -> list[VersionSnapshot]:
    """The versions of references, the newest first; without any, all. Archived ones as well."""
    if not references:
        return registry.versions(VersionQuery(archived=True))
    found = []
    for one in references:
        if one.version is None and not one.alias:
            found += registry.versions(VersionQuery(name=one.name, archived=True))
        else:
            found.append(resolve(registry, one))
    return list({one.ref: one for one in found}.values())


def _data_behind(versions: Sequence[VersionSnapshot]) -> tuple[list[ModelDamage], int, str]:
    """What is wrong with the data behind versions, how many bytes were read, and why not, if they could not be."""
    from kfnb.resources.datasets import api as datasets

    try:
        found = datasets.verify_refs(ref for one in versions for ref in one.behind if is_data_version(ref))
    except BackendError as error:
        return [], 0, f"The data behind the models was not verified: {error}"
    problems = {damage.ref: damage.problem for damage in found.damages}
    here = datasets.digests({ref for one in versions for ref in one.data_digests} - problems.keys())
    damages = [
        ModelDamage(one.ref, ref, problem)
        for one in versions
        for ref in one.behind
        if (problem := problems.get(ref) or _other_content(one, ref, here))
    ]
    return damages, found.size, ""


def _other_content(version: VersionSnapshot, ref: str, here: Mapping[str, str]) -> str:
    """The problem of data that is not what a version was made of, though it has the name; empty if it is."""
    recorded = version.data_digests.get(ref)
    return "other content" if recorded and here.get(ref, recorded) != recorded else ""


def _name(registry: ModelRegistry, version: VersionSnapshot) -> str:
    return version.ref if registry.name == "local" else f"{registry.name}:{version.ref}"
