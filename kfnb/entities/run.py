"""Runs, their tasks, and the artifacts that tasks write."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from pkgutil import resolve_name
from typing import IO, Any, TypeVar

from kfnb.entities.carried import imported
from kfnb.entities.rank import Rank
from kfnb.entities.run_state import RunState
from kfnb.entities.usage import Amounts, Purpose, Usage, added_up

T = TypeVar("T")


def seconds_between(started: float | None, finished: float | None) -> float | None:
    """The seconds from a start to an end; None if either is missing."""
    return None if started is None or finished is None else finished - started


@dataclass(frozen=True)
class Artifact:
    """One artifact: a file or folder with a KFP type.

    ``type`` is KFP's schema title (``system.Dataset``); ``uri`` a path or an fsspec URL; ``metadata`` is written by the
    step (it includes metrics). ``digest`` is the sha256 of its bytes, of a folder that of its paths and files; empty
    where it is unknown. ``store`` opens the URIs of a cluster's object store: for a URI, it returns an fsspec
    file system and the path in it. It holds secrets, so it is neither shown nor pickled.
    """

    name: str
    type: str
    uri: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""
    store: Callable[[str], tuple[Any, str]] | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "store": _left_behind if self.store else None}

    def filesystem(self) -> tuple[Any, str]:
        """The fsspec file system that holds the artifact, and its path there."""
        import fsspec

        if self.store is not None:
            return self.store(self.uri)
        found: tuple[Any, str] = fsspec.core.url_to_fs(self.uri)
        return found

    def open(self, mode: str = "rb") -> IO[Any]:
        """Open the artifact's file for reading."""
        filesystem, path = self.filesystem()
        opened: IO[Any] = filesystem.open(path, mode)
        return opened

    def download(self, path: str | Path) -> Path:
        """Copy the artifact to ``path`` and return that path; parent folders are created."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        filesystem, source = self.filesystem()
        if filesystem.isdir(source):
            filesystem.get(source, str(target), recursive=True)
        else:  # get() treats [ and * in a name as a pattern
            place = target / PurePosixPath(source).name if target.is_dir() else target
            filesystem.get_file(source, str(place))
        return target

    def load(self, *, pickle: bool = False, trust: Iterable[str] = ()) -> Any:
        """The value that the step saved: a table, an array, a model, lists and dicts.

        A pickle executes code when it is loaded, and is read only with ``pickle``. ``trust`` names types in a model
        that are not known to be safe. Raises ``UsageError``.
        """
        # by name: this module is below the one that knows the formats
        return resolve_name("kfnb.capture.artifacts:load_artifact")(self, pickle=pickle, trust=tuple(trust))

    @property
    def preview(self) -> str:
        """The first 2,000 bytes as text; empty when they are not text or the file does not exist."""
        try:
            with self.open() as file:
                head: bytes = file.read(2000)
        except OSError:
            return ""
        try:
            return head.decode()
        except UnicodeDecodeError as error:
            # a multi-byte character may be cut at the end; an error before that means that it is not text
            return head[: error.start].decode() if error.start >= len(head) - 3 else ""


def _left_behind(uri: str) -> tuple[Any, str]:
    """Replace the store of an artifact that was pickled: its address alone opens nothing, not even a local file."""
    raise PermissionError(
        f"{uri} belongs to a run on a cluster: get the run again with kfnb.run('ID') to open it"
    )


@dataclass(frozen=True)
class Preview:
    """The beginning of an artifact's content as text: a table's first rows, a text's first lines, a folder's files.

    ``facts`` are about the whole content (``("format", "parquet")``, ``("shape", "569 x 31")``); ``size`` is in bytes.
    There are ``more`` rows or files than shown, and ``hidden`` more columns. ``note`` says why nothing is shown.
    """

    size: int | None = None
    facts: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    hidden: int = 0
    files: tuple[tuple[str, int | None], ...] = ()
    more: bool = False
    text: str = ""
    note: str = ""


@dataclass(frozen=True)
class TaskError:
    """Why a task failed.

    ``message`` is one line; ``traceback`` the user's own frames, each with its notebook cell where the step came
    from a cell; ``place`` that cell and line (``cell train, line 3``), empty where unknown.
    """

    message: str
    traceback: str = ""
    place: str = ""


@dataclass(frozen=True)
class Task:
    """A task of a run, or a group of tasks (a loop, a branch, a nested pipeline, an exit handler's body).

    ``id`` is the path of names from the run's root, with an iteration's index as a separate segment
    (``for-loop-1/0/train``); ``parent`` the id of the enclosing group, empty at the root. ``needs`` are the names of
    the siblings it waits for, ``takes`` its inputs from them. ``started``, ``finished`` and ``began`` (the start of
    each attempt) are seconds since the epoch. ``doing`` says what the task waits for (an environment being built, an
    image being pulled), and is empty most of the time. ``condition`` is that of a branch (``if accuracy > 0.9``),
    ``decided`` its result (``0.93 > 0.9: taken``). ``code`` is the sha256 of its program, empty where it has none.
    ``ranks`` are the processes of a training. ``usage`` is what each of its attempts that have ended occupied, as far
    as it is known.
    """

    id: str
    name: str
    state: RunState = RunState.PENDING
    parent: str = ""
    group: bool = False
    iteration: int | None = None
    needs: tuple[str, ...] = ()
    takes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    started: float | None = None
    finished: float | None = None
    began: tuple[float, ...] = ()
    doing: str = ""
    condition: str = ""
    decided: str = ""
    code: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    cached: bool = False
    attempts: int = 0
    error: TaskError | None = None
    ranks: tuple[Rank, ...] = ()
    usage: tuple[Usage, ...] = ()

    @property
    def seconds(self) -> float | None:
        """How long it ran; None while it runs or if it never did."""
        return seconds_between(self.started, self.finished)

    @property
    def unmeasured(self) -> int:
        """How many of its attempts have ended without a record of what they occupied."""
        if self.group or self.cached or not self.state.finished:
            return 0
        return max(0, self.attempts - len(self.usage))

    @property
    def title(self) -> str:
        """The name to display: the task's name, or the files for an importer of files of the notebook's folder."""
        artifacts = self.artifacts.values()
        return next((title for one in artifacts if (title := imported(one.metadata))), self.name)

    @property
    def artifacts(self) -> dict[str, Artifact]:
        """The outputs that are artifacts."""
        return {name: value for name, value in self.outputs.items() if isinstance(value, Artifact)}


@dataclass(frozen=True)
class RunSnapshot:
    """One run of a pipeline, at one moment. ``tasks`` holds every task and group, in the order they appeared.

    ``notes`` are for the user, one line each, as on options without effect. ``metrics`` are the numbers that its
    tasks logged (``evaluate.accuracy``; a list over the iterations of a loop), once it is finished. ``environment``
    describes its environment by name (``python``, ``train: packages``). ``url`` is a page that shows it. ``archived``
    is whether it was archived. ``schedule`` is the id of the schedule that started it, ``owner`` who did. ``used`` is
    what a finished run occupied, as far as it was recorded; see ``occupied``.
    """

    id: str
    name: str
    pipeline: str
    backend: str
    state: RunState = RunState.PENDING
    arguments: Mapping[str, Any] = field(default_factory=dict)
    experiment: str = ""
    created: float | None = None
    started: float | None = None
    finished: float | None = None
    tasks: tuple[Task, ...] = ()
    result: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    notes: tuple[str, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    archived: bool = False
    schedule: str = ""
    owner: str = ""
    used: Mapping[Purpose, Amounts] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """How long it ran; None while it runs or if it never did."""
        return seconds_between(self.started, self.finished)

    @property
    def occupied(self) -> Mapping[Purpose, Amounts]:
        """What it occupied until now: of the attempts of its tasks, or as recorded at its end; empty if unknown."""
        if not self.tasks:
            return self.used
        total = added_up(usage for task in self.tasks for usage in task.usage)
        missing = sum(task.unmeasured for task in self.tasks)
        return {**total, Purpose.WORK: total.get(Purpose.WORK, Amounts()) + Amounts(unknown=missing)}


@dataclass(frozen=True)
class Compared:
    """A value by its name in each of several runs, in their order; None where a run does not have it."""

    name: str
    values: tuple[Any, ...]

    @property
    def same(self) -> bool:
        """Whether the value is the same in all of the runs."""
        return all(value == self.values[0] for value in self.values)


@dataclass(frozen=True)
class Comparison:
    """Several runs side by side. ``metrics`` are by ``task.metric``, ``states`` and ``seconds`` by task.

    A task in a loop has lists of them over its iterations. With ``whole``, values equal in all runs are shown too.
    """

    runs: tuple[RunSnapshot, ...]
    arguments: tuple[Compared, ...] = ()
    metrics: tuple[Compared, ...] = ()
    environment: tuple[Compared, ...] = ()
    states: tuple[Compared, ...] = ()
    seconds: tuple[Compared, ...] = ()
    whole: bool = False


def kfp_name(name: str) -> str:
    """A Python name as KFP writes names of pipelines and tasks: lower case, words joined by one dash."""
    return re.sub("[^0-9a-z]+", "-", name.lower()).strip("-")


class NotThere(KeyError):
    """A task, or a value of a task, does not exist: whether it may come, and which do exist."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError shows the repr of its message


class OfTask(dict[str, Any]):
    """The values of a task, by name. The error for a missing name says whether it may still come."""

    def __init__(
        self, values: Mapping[str, Any], *, task: str, what: str, state: RunState = RunState.SUCCEEDED
    ) -> None:
        super().__init__(values)
        self._task, self._what, self._state = task, what, state

    def __missing__(self, name: str) -> Any:
        if not self._state.finished:
            raise NotThere(
                f"{self._what} {name} of {self._task} is not available yet: {self._task} is {self._state.lower()};"
                " run.wait() waits for the run to end"
            )
        there = f"it has {_listed(name, self)}"
        if self._state is not RunState.SUCCEEDED:
            raise NotThere(f"{self._task} is {self._state.lower()} and has no {self._what} {name}; {there}")
        hint = "; --output NAME on %%kf_component makes a name an output" if self._what == "output" else ""
        raise NotThere(f"{self._task} has no {self._what} {name}; {there}{hint}")


def _listed(name: str, known: Iterable[str]) -> str:
    """The existing names, those similar to ``name`` first."""
    names = list(known)
    close = get_close_matches(name, names, 1)
    return ", ".join(sorted(names, key=lambda one: one not in close)) or "none"


class ByTask(Mapping[str, T]):
    """A mapping by task name that also accepts a component's Python name (``train_model`` for ``train-model``).

    KFP writes task names in lower case with dashes; a notebook's names are Python's. Of a run that is not ``over``,
    further tasks may come.
    """

    def __init__(self, items: Mapping[str, T], *, over: bool = True) -> None:
        self._items = dict(items)
        self._over = over

    def __getitem__(self, name: str) -> T:
        for known in (name, kfp_name(name)):
            if known in self._items:
                return self._items[known]
        listed = _listed(kfp_name(name), self._items)
        if not self._over:
            raise NotThere(
                f"task {name} does not exist yet, and the run is still running; run.wait() waits for its end;"
                f" tasks so far: {listed}"
            )
        raise NotThere(f"unknown task {name}; the run has {listed}")

    def _ipython_key_completions_(self) -> list[str]:
        """The names, for completion in brackets."""
        return list(self._items)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)
