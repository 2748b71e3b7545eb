"""The file of a notebook."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from kfnb.diagnostics import logger
from kfnb.errors import NotebookError

_logger = logger(__package__)


def read_notebook(path: Path) -> Any:
    """The notebook in a file, in nbformat's version 4. Raises ``NotebookError``."""
    import nbformat

    if path.suffix != ".ipynb" and path.is_file():
        raise NotebookError(f"{path} is not a notebook (.ipynb)")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotebookError(
            f"{path} does not exist", code="file-not-found", hint=_find_near(path), ref=str(path)
        ) from None
    except IsADirectoryError:
        raise NotebookError(f"{path} is a folder, not a notebook", ref=str(path)) from None
    except UnicodeDecodeError:
        raise NotebookError(f"{path} is not a notebook: it is not text", ref=str(path)) from None
    except OSError as error:
        raise NotebookError(f"{path} cannot be read: {error.strerror}") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cells without ids are valid in older notebooks
            return nbformat.reads(text, as_version=4)
    except Exception:  # nbformat may raise anything on other JSON
        _logger.debug("A notebook cannot be read.", exc_info=True)
        raise NotebookError(f"{path} is not a notebook (.ipynb)", ref=str(path)) from None


def _find_near(path: Path) -> str:
    with_suffix = path.with_name(path.name + ".ipynb")
    return f"did you mean {with_suffix}?" if with_suffix.is_file() else ""
