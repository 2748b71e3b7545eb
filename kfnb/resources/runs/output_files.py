"""The files that a run's steps wrote, by their paths, and how chosen ones are copied beside the notebook."""

from __future__ import annotations

import filecmp
import json
import posixpath
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from kfnb.entities import FILES, Artifact, RunSnapshot, Task, path_of
from kfnb.errors import KfnbError, UsageError
from kfnb.jobs.polling import poll

if TYPE_CHECKING:
    from kfnb.resources.runs.handle import Run as Handle

ALL = "*"
"""The pattern that matches every file."""
_NAMED = 5
"""Maximum number of files that a message names."""
_OUTSIDE = "the path leads out of the folder"
_DOWNLOAD = "run.files[PATH].download(PLACE) copies one"


@dataclass(frozen=True)
class CopiedFiles:
    """The paths of files that were copied, that existed already, and that were not copied.

    Files in ``left`` differ from existing files; files in ``outside`` have a path outside of the folder.
    """

    copied: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()

    @property
    def messages(self) -> Iterator[str]:
        """Messages about the files, a line each."""
        if self.copied:
            yield f"copied {_named(self.copied)}"
        if self.same:
            yield f"unchanged: {_named(self.same)}"
        if self.left:
            yield f"not overwritten, since the existing files differ: {_named(self.left)}; --force overwrites them"
        if self.outside:
            yield f"not copied, since {_OUTSIDE}: {_named(self.outside)}; {_DOWNLOAD}"


def written(run: RunSnapshot) -> dict[str, Artifact]:
    """The files that the steps of a run wrote, by path; of several with one path, the last in the kernel's order."""
    found: dict[str, Artifact] = {}
    for task in _in_order(run.tasks):
        folder = task.artifacts.get(FILES)
        if folder is None:
            continue
        for path in json.loads(str(folder.metadata.get("removed", "[]"))):
            found.pop(path, None)
        filesystem, base = folder.filesystem()
        for whole in filesystem.find(base):
            path = str(whole)[len(base.rstrip("/")) + 1 :]
            name = path_of(path)
            found[name] = replace(folder, name=name, uri=f"{folder.uri.rstrip('/')}/{path}", metadata={})
    return dict(sorted(found.items()))


def copy_files(
    files: Mapping[str, Artifact], patterns: Sequence[str], folder: Path, *, force: bool = False
) -> CopiedFiles:
    """Copy those of ``files`` that match one of the patterns into ``folder``, at their paths.

    Raises ``UsageError`` for a pattern without a matching file that can be copied, before anything is copied.
    """
    chosen, inside = _chosen(files, folder, patterns or (ALL,))
    done: dict[str, list[str]] = {"copied": [], "same": [], "left": [], "outside": []}
    for path, file in chosen.items():
        try:
            done[_copy(file, folder / path, force=force) if path in inside else "outside"].append(path)
        except OSError as error:
            raise UsageError(f"cannot copy {path}: {error.strerror or error}") from None
    return CopiedFiles(**{word: tuple(paths) for word, paths in done.items()})


def _chosen(
    files: Mapping[str, Artifact], folder: Path, patterns: Sequence[str]
) -> tuple[dict[str, Artifact], set[str]]:
    """The files that match one of the patterns, and those of them inside of the folder, at least one per pattern."""
    chosen: dict[str, Artifact] = {}
    belonging: set[str] = set()
    for pattern in patterns:
        parts = [part for part in posixpath.normpath(pattern).split("/") if part != "."]
        fitting = {path: file for path, file in files.items() if _fits(path.split("/"), parts)}
        inside = {path for path in fitting if _inside(path, folder, parts.count(".."))}
        if not fitting:
            raise UsageError(f"no file of the run matches {pattern}; it wrote {_named(files) or 'none'}")
        if not inside:
            raise UsageError(f"cannot copy {_named(fitting)}: {_OUTSIDE}; {_DOWNLOAD}")
        chosen |= fitting
        belonging |= inside
    return chosen, belonging


class FileCopier:
    """Copies files of a run once it is finished: in the call that waits for it, else in a separate thread."""

    def __init__(
        self, run: Handle, patterns: Sequence[str], folder: Path, notify: Callable[[str], None]
    ) -> None:
        self._run, self._patterns, self._folder, self._notify = run, patterns, folder, notify
        self._lock, self._done = threading.Lock(), False

    def start(self) -> None:
        """Begin to wait for the run."""
        threading.Thread(target=self._wait, name=f"kfnb-keep-{self._run.id}", daemon=True).start()

    def finish(self) -> None:
        """Copy the files, unless that was done: the run is finished. Errors are reported through ``notify``."""
        with self._lock:
            if self._done:
                return
            self._done = True
            try:
                for line in self._run.keep_files(*self._patterns, folder=self._folder).messages:
                    self._notify(line)
            except KfnbError as error:
                self._notify(f"cannot copy files of run {self._run.id}: {error}")

    def _wait(self) -> None:
        observed = self._run.observe()
        try:
            for _ in poll(observed, observed.pace):
                pass
        except KfnbError as error:
            self._notify(f"cannot copy files of run {self._run.id}: {error}")
        else:
            self.finish()


def _in_order(tasks: Sequence[Task]) -> list[Task]:
    """The tasks in the order in which the kernel would have run them: iterations of a loop one after the other."""
    last: dict[str, float] = {}
    for task in tasks:
        last[task.name] = max(last.get(task.name, 0.0), task.finished or 0.0)

    def place(task: Task) -> tuple[float, list[int]]:
        return last[task.name], [int(part) for part in task.id.split("/") if part.isdecimal()]

    return sorted((task for task in tasks if not task.group), key=place)


def _inside(path: str, folder: Path, up: int) -> bool:
    """Whether a path begins ``up`` levels above the folder and stays there, also through links.

    A store may contain any names, so files above the folder are only copied if a pattern names them.
    """
    parts, above = path.split("/"), [".."] * up
    there = folder.joinpath(*above).resolve()
    return (
        (folder / path).parent.resolve().is_relative_to(there)
        and parts[:up] == above
        and ".." not in parts[up:]
    )


def _fits(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a path, or a folder that contains it, matches a pattern; ``**`` matches any folders.

    A part also matches literally, even if its characters are special in a pattern.
    """
    if not pattern:
        return True
    if pattern[0] == "**":
        return any(_fits(path[start:], pattern[1:]) for start in range(len(path)))
    fits = bool(path) and (path[0] == pattern[0] or fnmatchcase(path[0], pattern[0]))
    return fits and _fits(path[1:], pattern[1:])


def _copy(file: Artifact, target: Path, *, force: bool) -> str:
    """Copy a file; return the result: the name of a field of ``CopiedFiles``."""
    draft = target.with_name(f".{target.name}.kfnb")
    try:
        file.download(draft)
        if target.exists():
            if target.is_file() and filecmp.cmp(draft, target, shallow=False):
                return "same"
            if not force:
                return "left"
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return "copied"


def _named(paths: Iterable[str]) -> str:
    named = list(paths)
    more = len(named) - _NAMED
    return ", ".join(named[:_NAMED]) + (f" and {more} more" if more > 0 else "")
