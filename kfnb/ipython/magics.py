"""The magics: each reads its words, calls one public function, and gives its handle back."""

from __future__ import annotations

from kfnb import options
from kfnb.errors import UsageError
from kfnb.ipython.cluster import ClusterMagics
from kfnb.ipython.kept import KeptMagics
from kfnb.ipython.magic import reads
from kfnb.ipython.notebook import NotebookMagics
from kfnb.ipython.pipelines import PipelineMagics
from kfnb.ipython.runs import RunMagics
from kfnb.ipython.tuning import TuningMagics
from kfnb.settings import Kfnb, settings


class KfnbMagics(PipelineMagics, RunMagics, KeptMagics, TuningMagics, ClusterMagics, NotebookMagics):
    """kfnb's magics, a method each."""

    @reads(options.config)
    def kf_config(self, line: str) -> Kfnb | None:
        found = options.config().read(line)
        for one in found.settings:
            name, equals, value = one.partition("=")
            if not equals:
                raise UsageError(f"{one}: write name=value, or nothing to see the settings")
            settings().set(name.strip(), value.strip())
        return None if found.settings else settings()
