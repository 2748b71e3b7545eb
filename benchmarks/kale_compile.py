"""Kale's analysis and compilation of the nine-step notebook. Runs in an environment that has kubeflow-kale.

Prints the seconds of each round, one a line; the first has the imports' price in it and is not printed.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.notebook import kale_cells


def main(rounds: int) -> None:
    """Compile ``rounds`` times after one that warms up."""
    from kale.common import kfputils
    from kale.compiler import Compiler
    from kale.processors import NotebookProcessor

    logging.disable(logging.CRITICAL)
    os.chdir(tempfile.mkdtemp())
    notebook = nbformat.v4.new_notebook()
    for source, tags in kale_cells():
        notebook.cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": tags}))
    nbformat.write(notebook, "nine.ipynb")
    for number in range(rounds + 1):
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            processor = NotebookProcessor("nine.ipynb", {"pipeline_name": "nine", "experiment_name": "bench"})
            pipeline = processor.run()
            script = Compiler(pipeline, processor.get_imports_and_functions()).compile()
            kfputils.compile_pipeline(script, "nine")
        if number:
            print(time.perf_counter() - start)


if __name__ == "__main__":
    main(int(sys.argv[1]))
