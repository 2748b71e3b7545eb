"""A version of the cluster's registry, for the lineage that begins with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from kfnb.catalog.records import DATASET, ArtifactRecord, Reading, Trace
from kfnb.errors import KfnbError
from kfnb.resources.models.local.traces import model_record
from kfnb.resources.models.model import VersionSnapshot


class ClusterModelRecords:
    """A version of the cluster's registry, which the index does not keep. See ``kfnb.catalog.records.Source``.

    Its references begin with ``kubeflow:``. Where the content of the data behind it is known, that is met by it.
    """

    name = "models of a cluster"

    def __init__(self, version: VersionSnapshot) -> None:
        self.unit = f"kubeflow:{version.ref}"
        self.run = version.source.id if version.source.backend == "kubeflow" else ""
        self._version = version

    def stamps(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """The version, which does not change."""
        return {**known, self.unit: ""}

    def read(self, units: Iterable[str]) -> Iterator[Reading]:
        """The facts about it, and about the data behind it."""
        if self.unit in units:
            version = self._version
            data = {ref: _name_here(ref, digest) for ref, digest in version.data_digests.items()}
            names = (self.unit, *(f"kubeflow:{version.name}@{alias}" for alias in version.aliases))
            record = replace(
                model_record(version, newest=False),
                names=names,
                of={data.get(ref, ref): version.data_digests.get(ref, "") for ref in version.behind},
            )
            behind = (
                ArtifactRecord(
                    ref.rpartition("@")[0], DATASET, digest=version.data_digests[ref], names=(name,)
                )
                for ref, name in data.items()
            )
            yield Reading(self.unit, "", Trace(artifacts=(record, *behind)))


def _name_here(ref: str, digest: str) -> str:
    """The reference of a data version of the cluster: its own, unless the data store here has other content there."""
    from kfnb.resources.datasets.api import digest_of

    try:
        return ref if digest_of(ref) == digest else f"kubeflow:{ref}"
    except KfnbError:  # it is not here
        return ref
