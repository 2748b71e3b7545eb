"""Importers: an artifact that exists already, as a path here or at any address that fsspec opens."""

from __future__ import annotations

import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from kfnb.model import Carried, stored
from kfnb.resources.runs.local.step_errors import StepFault

BESIDE = "beside"
"""The folder of links to files of the notebook's folder."""
_LONGEST = 200
"""Characters of a file's name, which may have 255 bytes."""

_SCHEME = re.compile(r"^(?!file:)[A-Za-z][A-Za-z0-9+.-]*://")


def is_remote(uri: str) -> bool:
    """Whether ``uri`` must be fetched before a step can open it as a file."""
    return _SCHEME.match(uri) is not None


def local_path(uri: str, folder: Path) -> str:
    """The absolute path that ``uri`` names, a relative one starting at ``folder``. Raises ``StepFault``: none there."""
    path = folder / Path(uri.removeprefix("file://")).expanduser()
    if not path.exists():
        raise StepFault(f"it imports {uri}, and there is no {path}")
    return str(path.absolute())


def linked(files: Carried, folder: Path, target: Path) -> str:
    """Make ``target`` a folder of links to ``files`` of the notebook's. Raises ``StepFault``: one is not there."""
    for path in files.paths:
        source, link = folder / path, target / stored(path)
        if not source.is_file():
            why = f"{source} is not a file" if source.exists() else f"there is no {source}"
            raise StepFault(f"it reads {path}, and {why}")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(source)
    return str(target)


def absolute(uri: str, folder: Path) -> str:
    """``uri`` as it is good everywhere: a relative path starts at ``folder``."""
    return uri if is_remote(uri) or uri.startswith("file:") else str(folder / uri)


def name_of(uri: str) -> str:
    """What a copy of the file or folder at ``uri`` is called: its name, without what the query says."""
    return Path(urlsplit(uri).path).name[-_LONGEST:] or "artifact"


def missing_opener(uri: str) -> str:
    """Why nothing here opens the address ``uri``, and what to install; empty if something does."""
    if not is_remote(uri) or uri.startswith(("http://", "https://")):
        return ""
    from fsspec.registry import get_filesystem_class, known_implementations

    scheme = urlsplit(_for_fsspec(uri)).scheme
    package = str(known_implementations.get(scheme, {}).get("class", "fsspec")).partition(".")[0]
    if package != "fsspec":  # importing it would take long
        if find_spec(package) is not None:
            return ""
        return f"{scheme}:// needs the package {package}: pip install {package}"
    try:
        get_filesystem_class(scheme)
    except (ImportError, ValueError) as error:
        return f"{scheme}:// cannot be opened here: {error}"
    return ""


def fetch(uri: str, target: Path) -> None:
    """Copy what lies at ``uri``, a file or a folder, to ``target``."""
    if uri.startswith(("http://", "https://")):
        from urllib.request import urlopen  # fsspec would ask for a package more

        with urlopen(uri) as source, target.open("wb") as copy:  # noqa: S310 - the scheme is known
            shutil.copyfileobj(source, copy)
        return
    import fsspec

    filesystem, path = fsspec.core.url_to_fs(_for_fsspec(uri))
    filesystem.get(path, str(target), recursive=filesystem.isdir(path))


def _for_fsspec(uri: str) -> str:
    """``uri`` as fsspec knows it: KFP says ``minio://`` for what is S3 to everybody else."""
    return re.sub("^minio://", "s3://", uri)
