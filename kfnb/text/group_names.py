"""Readable names for the groups that KFP's compiler creates."""

from __future__ import annotations

import re

from kfnb.entities import Task

_WORDS = (
    (re.compile(r"for-loop-\d+"), "loop"),
    (re.compile(r"condition-branches-\d+"), "branches"),
    (re.compile(r"condition-\d+"), "branch"),
    (re.compile(r"exit-handler-\d+"), "exit handler"),
)
_BRANCH = re.compile(r"condition(-branches)?-\d+")


def group_word(name: str) -> str:
    """``loop`` for ``for-loop-2``; a name that the user chose is unchanged."""
    return next((word for pattern, word in _WORDS if pattern.fullmatch(name)), name)


def group_title(task: Task) -> str:
    """The label of a group of a run: a branch's condition, unless it has a name."""
    word = group_word(task.name)
    return task.condition if task.condition and word != task.name else word


def is_branch(name: str) -> bool:
    """Whether a group is an ``If``, ``Elif`` or ``Else``, or encloses several of them."""
    return _BRANCH.fullmatch(name) is not None
