"""Environment variables that steps read: how a step's program declares them, and which look like secrets.

A program declares them in comments, so that its engine knows them, also from a compiled file:

    # kfnb: reads the environment variables REGION, STAGE
    # kfnb: where they have none, gives a value to the environment variables OMP_NUM_THREADS
    # kfnb: computes names of environment variables
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

from kfnb.sourcemap import mark_generated

_READS = "reads the environment variables "
_DEFAULTS = "where they have none, gives a value to the environment variables "
_ODD = re.compile(r"[\s,%\x00-\x1f]")
"""Characters that would end a name in the comment."""
COMPUTES_NAMES = mark_generated("computes names of environment variables")
"""The comment by which a program declares that it looks up variables by computed names."""
_COMPUTES = re.compile(rf"^[ \t]*{re.escape(COMPUTES_NAMES)}$", re.MULTILINE)
_WORD = 2
"""Texts up to this length count only as whole words of a name: ``a`` is in most names."""

OF_A_POD = frozenset({
    "HOME", "HOSTNAME", "LANG", "LC_ALL", "LOGNAME", "OLDPWD", "PATH", "PWD", "SHELL", "SHLVL", "TERM", "TMPDIR",
    "USER", "_",
})  # fmt: skip
"""Variables of the machine itself, for which a pod has its own values."""

OF_A_RANK = frozenset({
    "CUDA_VISIBLE_DEVICES", "DMLC_NUM_WORKER", "DMLC_TASK_ID", "DMLC_TRACKER_PORT", "DMLC_TRACKER_URI", "GROUP_RANK",
    "JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID", "KFNB_CHECKPOINTS", "KFNB_LOCAL_RANK",
    "KFNB_MACHINES", "KFNB_RANK", "KFNB_RESTART", "KFNB_WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR",
    "MASTER_PORT", "NODE_RANK", "OMP_NUM_THREADS", "PET_MASTER_ADDR", "PET_MASTER_PORT", "PET_NNODES", "PET_NODE_RANK",
    "PET_NPROC_PER_NODE", "RANK", "TF_CONFIG", "TORCHELASTIC_MAX_RESTARTS", "TORCHELASTIC_RESTART_COUNT", "WORLD_SIZE",
})  # fmt: skip
"""Variables that each process of a training has from kfnb."""

_SECRET = frozenset({
    "APIKEY", "AUTH", "CREDENTIAL", "CREDENTIALS", "CREDS", "KEY", "PASS", "PASSPHRASE", "PASSWD", "PASSWORD", "PAT",
    "PRIVATE", "PWD", "SECRET", "SECRETS", "TOKEN",
})  # fmt: skip
_NO_SECRET = frozenset({"PWD", "OLDPWD"})
_ENDS_SECRET = re.compile(r"(?:APIKEY|CREDENTIALS?|PASSWORD|PASSWD|SECRET|TOKEN)$")
PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+(?=@)")
"""A user and a password in an address."""
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY"
    rf"|{PASSWORD.pattern}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\."  # a JSON web token
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\b(?:gh[opsru]_|github_pat_|glpat-|xox[abpr]-|pypi-)[\w-]{16,}|\b(?:hf_|sk-(?:proj-|ant-)?)[a-z0-9]{20,}"
    r'|"private_key"|\bPassword\s*=|\bAccountKey\s*=',
    re.IGNORECASE,
)
_RANDOM = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9+_=-]{32,}")


def reads_comment(names: Iterable[str]) -> str:
    """The comment by which a program declares that it reads variables; empty for none."""
    return _line(_READS, names)


def defaults_comment(names: Iterable[str]) -> str:
    """The comment by which a program declares that it sets variables without a value; empty for none."""
    return _line(_DEFAULTS, names)


def read_by(source: str) -> tuple[str, ...]:
    """The variables that a program declares that it reads."""
    return _names(_READS, source)


def defaulted_by(source: str) -> tuple[str, ...]:
    """The variables that a program declares that it sets where they have no value."""
    return _names(_DEFAULTS, source)


def _line(words: str, names: Iterable[str]) -> str:
    safe = sorted(_ODD.sub(lambda found: quote(found[0], safe=""), name) for name in names if name)
    return mark_generated(words + ", ".join(safe)) if safe else ""


def _names(words: str, source: str) -> tuple[str, ...]:
    found = re.search(rf"^[ \t]*{re.escape(mark_generated(words))}(.+)$", source, re.MULTILINE)
    return tuple(unquote(name) for name in found[1].split(", ")) if found else ()


def computes_names(source: str) -> bool:
    """Whether a program declares that it looks up variables by computed names."""
    return _COMPUTES.search(source) is not None


def named_by(value: Any, names: Iterable[str]) -> set[str]:
    """The variables that a program which computes names may look up where ``value`` is one of its parameters.

    These are the ``names`` that contain one of the value's texts, and the texts themselves.
    """
    found: set[str] = set()
    for text in _texts(value):
        part = re.sub(r"\W+", "_", text).upper()
        found |= {
            text,
            *(name for name in names if part in (name.upper() if len(part) > _WORD else _words(name))),
        }
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str | int) and not isinstance(value, bool) and value != "":
        yield str(value)


def _words(name: str) -> list[str]:
    return re.split(r"[^A-Z0-9]+", name.upper())


def is_secret(name: str, value: str) -> bool:
    """Whether a variable looks like a secret, by its name or by its value."""
    upper = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()
    words = set(re.split(r"[^A-Z0-9]+", upper))
    named = bool(words & _SECRET) or any(map(_ENDS_SECRET.search, words))
    return (named and upper not in _NO_SECRET) or bool(
        _SECRET_VALUE.search(value) or _RANDOM.fullmatch(value)
    )
