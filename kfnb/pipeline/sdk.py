"""Programs of KFP's SDK: the pipeline that a Python file defines."""

from __future__ import annotations

import runpy
import warnings
from pathlib import Path
from typing import Any

from kfnb.diagnostics import logger
from kfnb.errors import PipelineError

_logger = logger(__package__)


def load_pipeline(path: str) -> Any:
    """The pipeline object in ``file.py``, or in ``file.py:NAME`` where the file has several.

    The file is imported, so code under ``if __name__ == "__main__"`` does not run. Raises ``PipelineError``.
    """
    file, _, name = path.partition(":")
    if not Path(file).is_file():
        raise PipelineError(f"{file}: No such file or directory", code="file-not-found", ref=file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            namespace = runpy.run_path(file, run_name="kfnb_program")
    except Exception as error:  # the file's code may raise anything
        _logger.debug("A program of KFP's SDK failed as it was imported.", exc_info=True)
        message = f"{file} cannot be run: {type(error).__name__}: {error}"
        raise PipelineError(message, code="cannot-compile", ref=file) from error
    found = {key: value for key, value in namespace.items() if hasattr(value, "pipeline_func")}
    if name:
        found = {key: value for key, value in found.items() if key == name}
    if len(found) != 1:
        several = ", ".join(f"{file}:{key}" for key in found)
        reason = f"choose a pipeline: {several}" if found else "it defines no such pipeline (@dsl.pipeline)"
        raise PipelineError(f"{path}: {reason}")
    return next(iter(found.values()))
