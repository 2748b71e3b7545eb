"""The files that a cell reads and writes: the inputs and outputs of its step."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kfnb.capture.project import levels


@dataclass(frozen=True)
class Files:
    """Paths from the notebook's folder (``data/train.csv``, ``../data/x``), or absolute ones of temporary files.

    ``reads`` are files that existed before the cell began and that it opened or checked for, ``folders`` such folders,
    ``listed`` folders whose content it listed (``.`` is the notebook's own), ``writes`` what it left, ``removed`` what
    it removed, ``made`` the folders that it created. Empty folders among what it left and removed end in ``/``.
    ``start`` is the folder in which it began, if that is not the notebook's own. ``missed`` are files below the
    notebook's folder that it checked for and that did not exist.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    start: str = ""
    missed: frozenset[str] = frozenset()

    def then(self, later: Files) -> Files:
        """The files of both, where the code of ``later`` runs after this."""
        return Files(
            reads=self.reads | (later.reads - self.writes),
            writes=(self.writes - later.removed) | later.writes,
            removed=(self.removed - later.writes) | later.removed,
            listed=self.listed | later.listed,
            made=self.made | later.made,
            folders=self.folders | (later.folders - self.made),
            start=self.start,
            missed=self.missed | (later.missed - self.writes - self.removed),
        )

    def before(self, cell: Files) -> Files:
        """The files of a component's ``cell``; these are the files of the set-up cells, which its step runs first.

        What set-up cells write is in every step, so it is not an edge between steps.
        """
        both = self.then(replace(cell, writes=frozenset(), removed=frozenset()))
        made = both.made | self.writes
        return replace(both, writes=cell.writes, removed=cell.removed, made=made, start=cell.start)

    @property
    def up(self) -> int:
        """The number of levels above the notebook's folder at which the highest of the paths begins."""
        names = (
            *self.reads,
            *self.writes,
            *self.removed,
            *self.listed,
            *self.made,
            *self.folders,
            self.start,
        )
        return max(levels(name) for name in names)

    @property
    def leaves(self) -> bool:
        """Whether there is an output that a later step may use."""
        return bool(self.writes or self.removed)

    def __bool__(self) -> bool:
        return bool(self.reads or self.listed or self.folders or self.made or self.leaves)


NONE = Files()
