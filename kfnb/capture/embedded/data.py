"""How a step loads a version of a data set that is more than one table or array."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.capture.embedded.values import kfnb_load

PATH, FRAMES = "path", "frames:"
"""The formats of data that ``kfnb_data`` loads: a file or folder, and a folder of tables and arrays.

The libraries of those follow, in the order of their names: ``frames:pandas,numpy``.
"""


def kfnb_data(artifact: Any, classes: Mapping[str, Any]) -> Any:
    """The value of a data set: the path of its file or folder, or a dict of its tables and arrays."""
    import pathlib
    from types import SimpleNamespace
    from urllib.parse import unquote

    path = pathlib.Path(artifact.path)
    libraries = artifact.metadata["format"].partition(":")[2].split(",")
    if libraries == [""]:
        return path
    forms = {"pandas": "parquet", "pandas.Series": "series-parquet", "numpy": "npy"}
    files = sorted(path.iterdir(), key=lambda file: unquote(file.stem))
    value = {}
    for file, library in zip(files, libraries, strict=True):
        one = {"format": forms.get(library) or f"{library}-parquet"}
        value[unquote(file.stem)] = kfnb_load(SimpleNamespace(path=str(file), metadata=one), classes)
    return value
