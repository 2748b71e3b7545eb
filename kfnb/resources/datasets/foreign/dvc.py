"""Files that DVC tracks: ``PATH.dvc``, by their md5."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from kfnb.errors import Absent, UsageError
from kfnb.resources.datasets.model import FileEntry
from kfnb.resources.datasets.objects.base import pieces

_SCHEME = "dvc://"


class Dvc:
    """Files of DVC's workspace or cache. See ``tools.VersioningTool``."""

    keeps_tables = False

    def keeps(self, uri: str) -> bool:
        """See ``VersioningTool``."""
        return uri.startswith(_SCHEME) or ("://" not in uri and uri.endswith(".dvc"))

    def entry(self, uri: str) -> FileEntry:
        """See ``VersioningTool``."""
        return _entry(Path(uri.removeprefix(_SCHEME)).expanduser())

    def check(self, entry: FileEntry) -> None:
        """See ``VersioningTool``."""
        _tracked(entry)

    def stream(self, entry: FileEntry) -> Iterator[bytes]:
        """See ``VersioningTool``."""
        yield from pieces(_tracked(entry))


def _entry(file: Path) -> FileEntry:
    import yaml

    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
        [out] = found["outs"]
        md5, name, size = str(out["md5"]), str(out["path"]), int(out.get("size", 0))
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", code="file-not-found", ref=str(file)) from None
    except (yaml.YAMLError, ValueError, KeyError, TypeError):
        raise UsageError(f"{file} is not a file of DVC with one output and its md5", ref=str(file)) from None
    if md5.endswith(".dir"):
        raise UsageError(f"{file} tracks a folder: add the folder itself", ref=str(file))
    if "/" in name or "\\" in name:
        raise UsageError(f"{file} tracks a file in another folder: add that file itself", ref=str(file))
    return FileEntry(name, size, "", uri=f"{_SCHEME}{file.absolute()}", tag=f"md5 {md5}", version=md5)


def _tracked(entry: FileEntry) -> Path:
    """The file with the md5 of an entry: in the workspace, else in DVC's cache. Raises ``Absent``."""
    file = Path(entry.uri.removeprefix(_SCHEME))
    md5 = entry.version
    cached = [top / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:] for top in file.parents]
    for one in (file.parent / entry.path, *cached):
        if one.is_file() and _md5(one) == md5:
            return one
    raise Absent(f"neither the workspace nor DVC's cache has {entry.path} with md5 {md5}", ref=str(file))


def _md5(file: Path) -> str:
    found = hashlib.md5(usedforsecurity=False)
    for piece in pieces(file):
        found.update(piece)
    return found.hexdigest()
