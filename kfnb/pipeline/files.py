"""The files of steps: those of earlier steps, and those of the notebook's folder."""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath

from kfnb.capture.files import Files
from kfnb.entities import FILES, Carried, carried, digest_of
from kfnb.pipeline.notebook_files import is_hidden

BESIDE = "kf_beside"
"""``kf_beside_1``, ...: a step's inputs for files of the notebook's folder, and the importers of these."""
LARGEST = 48 * 1024
"""Maximum bytes of a step's files of the notebook's folder, packed, in the pipeline: the program of a step is one
argument of a command, of 128 KiB, and Argo stores it several times."""


@dataclass(frozen=True)
class StepFiles:
    """The files of a step, and the statements of its function that handle them.

    ``earlier`` are its arguments that hold the files of other steps. ``beside`` are files of the notebook's folder,
    each packed, or a digest for a hidden file, which does not leave this machine; files too large for that are in
    ``large``, with the digests of their contents, and come through ``imported``, an argument for each importer.
    ``folders`` must exist, ``start`` is the folder in which the cell began; ``place`` is the notebook's folder relative
    to the highest folder that the pipeline's paths refer to. Names that are ``placed`` hold absolute paths below
    ``home`` in the notebook, which the step replaces by its own. ``temporary``: the step writes files outside of its
    folder; ``apart``: it must not work in the notebook's.
    """

    earlier: tuple[str, ...] = ()
    beside: Mapping[str, str] = field(default_factory=dict)
    large: Mapping[str, str] = field(default_factory=dict)
    imported: Mapping[str, Carried] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    start: str = ""
    place: str = ""
    home: str = ""
    placed: frozenset[str] = frozenset()
    apart: bool = False
    writes: bool = False
    temporary: bool = False

    def __bool__(self) -> bool:
        takes = self.earlier or self.beside or self.imported or self.folders
        return bool(takes or self.writes or self.apart or self.placed)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments that hold files, in the order in which the step copies them: a later file wins."""
        return (*self.imported, *self.earlier)

    @property
    def hidden(self) -> tuple[str, ...]:
        """The files that stay here: they may hold secrets."""
        return tuple(name for name in self.beside if is_hidden(name))

    def entering(self) -> Iterator[str]:
        """The statements with which the step enters its folder."""
        if not self:
            return
        # in the text, since KFP's cache key includes the text
        yield from (f"# {name}: {one.title}, {one.digest}" for name, one in self.imported.items())
        beside = "{" + ", ".join(f"{name!r}: {content!r}" for name, content in self.beside.items()) + "}"
        given = ", ".join([repr(self.place), repr(list(self.folders)), beside, *self.arguments])
        yield f"kfnb_before = kfnb_files_in({given})"
        if self.temporary:
            yield "kfnb_written = kfnb_temporary(kfnb_before[0])"

    def moving_in(self, names: Iterable[str]) -> Iterator[str]:
        """The statements that replace absolute paths in names by the step's own."""
        for name in names:
            if name in self.placed:
                yield f"{name} = kfnb_moved({name}, {self.home!r}, kfnb_before[0])"

    def moved_out(self, name: str) -> str:
        """An expression for a name's value with the notebook's paths."""
        return f"kfnb_moved({name}, kfnb_before[0], {self.home!r})" if name in self.placed else name

    def starting(self) -> Iterator[str]:
        """The statements that change to the folder in which the cell began."""
        if self and self.start:
            yield f"kfnb_start(kfnb_before, {self.start!r})"

    def leaving(self) -> Iterator[str]:
        """The statements with which it outputs what it wrote."""
        given = [f'kfnb_out["{FILES}"]'] if self.writes else []
        given += ["kfnb_written"] if self.temporary else []
        if self:
            yield f"kfnb_files_out({', '.join(['kfnb_before', *given])})"


NO_FILES = StepFiles()
_HERE_ONLY = "sha256:"


def files_of_step(
    folder: Path,
    files: Files,
    earlier: int,
    beside: Sequence[str],
    place: str = "",
    placed: frozenset[str] = frozenset(),
) -> StepFiles:
    """The handling of ``files`` in a step: those of ``earlier`` steps, and ``beside`` of the notebook's folder.

    Names that are ``placed`` hold absolute paths of the notebook's folder, which is ``place`` relative to its project.
    """
    home = os.path.realpath(folder).removesuffix(f"/{place}") if placed else ""
    parents = {PurePosixPath(name).parent.as_posix() for name in (*files.reads, *files.writes)}
    around = ((parents | files.listed) - files.made) | files.folders | ({files.start} - {""})
    packed, large = _packed(folder, beside)
    return StepFiles(
        earlier=tuple(f"{FILES}_{number}" for number in range(1, earlier + 1)),
        beside=packed,
        large=large,
        folders=tuple(sorted(name for name in around if name != "." and not name.startswith("/"))),
        start=files.start,
        place=place,
        home=home,
        placed=placed,
        apart=bool(files.made),
        writes=files.leaves,
        temporary=any(name.startswith("/") for name in files.writes),
    )


def with_importers(steps: Mapping[str, StepFiles]) -> dict[str, StepFiles]:
    """The files of a pipeline's steps, by component; each large file is imported once for all steps that read it.

    Files that the same steps read are imported together: an importer is a pod on a cluster.
    """
    readers: dict[str, set[str]] = {}
    digests: dict[str, str] = {}
    for step, files in steps.items():
        for name, digest in files.large.items():
            readers.setdefault(name, set()).add(step)
            digests[name] = digest
    together: dict[tuple[str, ...], dict[str, str]] = {}
    for name in sorted(readers):
        together.setdefault(tuple(sorted(readers[name])), {})[name] = digests[name]
    imported = {
        f"{BESIDE}_{number}": (those, carried(files))
        for number, (those, files) in enumerate(together.items(), start=1)
    }
    return {
        step: replace(files, imported={name: one for name, (those, one) in imported.items() if step in those})
        for step, files in steps.items()
    }


def _packed(folder: Path, names: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The files with their contents, the small ones first, as far as they fit; and the others with their digests.

    For a hidden file, the digest replaces the content: the step's program changes with the file.
    """
    left = LARGEST
    packed: dict[str, str] = {}
    large: dict[str, str] = {}
    for name in sorted(names, key=lambda name: ((folder / name).stat().st_size, name)):
        status = (folder / name).stat()
        given = str(folder / name), status.st_mtime_ns, status.st_size
        if is_hidden(name):
            packed[name] = _HERE_ONLY + _digest(*given)
            continue
        content = _content(*given) if status.st_size <= 20 * left else ""  # only zeros pack better
        if not content or len(content) > left:
            large[name] = _digest(*given)
        else:
            left -= len(content)
            packed[name] = content
    return dict(sorted(packed.items())), large


@lru_cache(maxsize=256)
def _content(path: str, _changed: int, _size: int) -> str:
    return base64.b64encode(zlib.compress(Path(path).read_bytes(), 9)).decode()


@lru_cache(maxsize=4096)
def _digest(path: str, _changed: int, _size: int) -> str:
    return digest_of(Path(path))
