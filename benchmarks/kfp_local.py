"""``kfp.local`` at one of the pipelines: ``python -m benchmarks.kfp_local SHAPE COUNT INSTALL CACHED``.

Prints the seconds that the pipeline took, its compilation and KFP's import not counted. CACHED: a second time, with
``kfp.local``'s cache on.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import tempfile
import time

from benchmarks.graphs import SHAPES


def main(shape: str, count: int, *, install: bool, cached: bool) -> float:
    """The seconds of one run: its tasks are subprocesses, in no environment of their own."""
    from kfp import compiler, components, local

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        logging.disable(logging.CRITICAL)
        file = f"{folder}/pipeline.yaml"
        compiler.Compiler().compile(SHAPES[shape](count, install=install), file)
        pipeline = components.load_component_from_file(file)
        runner = local.SubprocessRunner(use_venv=False)
        local.init(runner, pipeline_root=f"{folder}/outputs", enable_caching=cached)
        if cached:
            pipeline()
        start = time.perf_counter()
        pipeline()
        return time.perf_counter() - start


if __name__ == "__main__":
    _, shape, count, install, cached = sys.argv
    print(main(shape, int(count), install=install == "True", cached=cached == "True"))
