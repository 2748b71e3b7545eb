"""The nodes of the Argo workflow that KFP creates for a pipeline: their names, and which task each belongs to.

A node's name is the path to it: ``RUN.root.train.executor`` is the pod of task ``train``, ``RUN.root.train-driver`` the
one that prepares it; the iterations of a loop are ``iteration-iterations(0:0)``, each with an ``iteration-item``. If
templates have a retry strategy (KFP 2.17 ships one for all of them), a node ``X`` is the parent of its attempts
``X(0)``, ``X(1)``, ..., and paths lead through these: ``RUN(0).root(0).train(0).executor(0)``.

A node's id is the name of its run and a hash of its own name: FNV-1a of 32 bits, as Argo's ``NodeID`` has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_PART = re.compile(r"(?P<name>.*?)(?:\((?P<turn>\d+):[^)]*\))?(?:\((?P<attempt>\d+)\))?")
_LOOP = frozenset({"iteration-iterations", "iteration-item", "iteration"})
"""Parts of a path between a loop and its tasks (``iteration`` is what is left of ``iteration-driver``)."""
_OFFSET, _PRIME, _MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF


@dataclass(frozen=True)
class _Part:
    """One part of a path: ``name(index:index)(attempt)``, of which the last two may be missing."""

    name: str
    turn: str | None
    attempt: str | None


def task_of(pod_node: str) -> str:
    """The id of the task or group that the node of a pod runs or prepares; empty for the run itself."""
    around, _, last = pod_node.rpartition(".")
    name = _part(last).name
    return place_of(around if name == "executor" else f"{around}.{name.removesuffix('-driver')}")


def place_of(node: str) -> str:
    """The id of the task or group of this node (``for-loop-1/0/train``), for any attempt."""
    found: list[str] = []
    for text in node.split(".")[2:]:
        part = _part(text)
        if part.turn is not None:
            found.append(part.turn)
        elif part.name == "onExit":  # the exit task of an exit handler is its sibling
            found.pop()
        elif part.name not in _LOOP:
            found.append(part.name)
    return "/".join(found)


def name_of(node: str) -> str:
    """The last part of the path, without the attempt."""
    return _part(node.rpartition(".")[2]).name


def is_attempt(node: str) -> bool:
    """Whether a node is one attempt at the node above it, as ``X(0)`` is at ``X``."""
    return _part(node.rpartition(".")[2]).attempt is not None


@lru_cache(maxsize=1 << 12)
def _part(text: str) -> _Part:
    found = _PART.fullmatch(text)
    assert found is not None  # its name may be any text
    return _Part(found["name"], found["turn"], found["attempt"])


class Path:
    """The name of a node, kept as its hash, so that the paths of a thousand tasks need few calculations."""

    __slots__ = ("_hash", "_workflow")

    def __init__(self, workflow: str, hashed: int | None = None) -> None:
        self._workflow = workflow
        self._hash = _hashed(_OFFSET, workflow) if hashed is None else hashed

    def __add__(self, text: str) -> Path:
        """The name with ``text`` after it."""
        return Path(self._workflow, _hashed(self._hash, text))

    @property
    def id(self) -> str:
        """The id of the node of this name."""
        return f"{self._workflow}-{self._hash}"


@lru_cache(maxsize=1 << 16)
def _hashed(state: int, text: str) -> int:
    """FNV-1a of what ``state`` is the hash of, with ``text`` after it."""
    for byte in text.encode():
        state = ((state ^ byte) * _PRIME) & _MASK
    return state
