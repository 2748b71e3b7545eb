"""The names that KFP's compiler gives to groups, in words."""

from __future__ import annotations

import re

from kfnb.model import Task

_WORDS = (
    (re.compile(r"for-loop-\d+"), "loop"),
    (re.compile(r"condition-branches-\d+"), "branches"),
    (re.compile(r"condition-\d+"), "branch"),
    (re.compile(r"exit-handler-\d+"), "exit handler"),
)
_BRANCH = re.compile(r"condition(-branches)?-\d+")


def group_word(name: str) -> str:
    """``loop`` for ``for-loop-2``; a name that somebody chose stays."""
    return next((word for pattern, word in _WORDS if pattern.fullmatch(name)), name)


def group_title(task: Task) -> str:
    """A group of a run in words: a branch by its condition, unless it has been given a name."""
    word = group_word(task.name)
    return task.condition if task.condition and word != task.name else word


def is_branch(name: str) -> bool:
    """Whether a group is an ``If``, ``Elif`` or ``Else``, or stands around several of them."""
    return _BRANCH.fullmatch(name) is not None
