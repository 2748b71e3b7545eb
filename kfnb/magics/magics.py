"""The magics: each reads its words, calls one public function, and gives its handle back."""

from __future__ import annotations

from kfnb import options
from kfnb.config import Kfnb, refuse_secret, settings
from kfnb.errors import UsageError
from kfnb.magics.cluster import ClusterMagics
from kfnb.magics.kept import KeptMagics
from kfnb.magics.notebook import NotebookMagics
from kfnb.magics.pipelines import PipelineMagics
from kfnb.magics.reading import reads
from kfnb.magics.runs import RunMagics
from kfnb.magics.tuning import TuningMagics


class KfnbMagics(PipelineMagics, RunMagics, KeptMagics, TuningMagics, ClusterMagics, NotebookMagics):
    """kfnb's magics, a method each."""

    @reads(options.config)
    def kf_config(self, line: str) -> Kfnb | None:
        found = options.config().read(line)
        for one in found.settings:
            name, equals, value = one.partition("=")
            if not equals:
                raise UsageError(f"{one}: write name=value, or nothing to see the settings")
            if not found.insecure:
                refuse_secret(name.strip(), value.strip())
            settings().set(name.strip(), value.strip())
        return None if found.settings else settings()
