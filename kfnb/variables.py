"""Environment variables that steps read: how a step's program tells which, and which look like secrets.

A program tells them by a comment, so that whoever runs it knows, also from a compiled file:

    # kfnb: reads the environment variables REGION, STAGE
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kfnb.place import mark_generated

_TOLD = "reads the environment variables "
_LINE = re.compile(rf"^[ \t]*{re.escape(mark_generated(_TOLD))}(?P<names>.+)$", re.MULTILINE)
_NAME = re.compile(r"[^\s,=]+")

OF_A_POD = frozenset({
    "HOME", "HOSTNAME", "LANG", "LC_ALL", "LOGNAME", "OLDPWD", "PATH", "PWD", "SHELL", "SHLVL", "TERM", "TMPDIR",
    "USER", "_",
})  # fmt: skip
"""Variables of the machine itself, of which a pod has its own."""

_SECRET = frozenset({
    "APIKEY", "AUTH", "CREDENTIAL", "CREDENTIALS", "CREDS", "KEY", "PASS", "PASSPHRASE", "PASSWD", "PASSWORD", "PAT",
    "PRIVATE", "PWD", "SECRET", "SECRETS", "TOKEN",
})  # fmt: skip
_NO_SECRET = frozenset({"PWD", "OLDPWD"})
_ENDS_SECRET = re.compile(r"(?:APIKEY|CREDENTIALS?|PASSWORD|PASSWD|SECRET|TOKEN)$")
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|://[^/\s:@]*:[^/\s@]+@"  # a password in an address
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\."  # a JSON web token
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\b(?:gh[opsru]_|github_pat_|glpat-|xox[abpr]-|pypi-)[\w-]{16,}|\b(?:hf_|sk-(?:proj-|ant-)?)[a-z0-9]{20,}"
    r'|"private_key"|\bPassword\s*=|\bAccountKey\s*=',
    re.IGNORECASE,
)
_RANDOM = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9+_=-]{32,}")


def told(names: Iterable[str]) -> str:
    """The comment by which a program says that it reads variables; empty for none."""
    listed = ", ".join(sorted(name for name in names if _NAME.fullmatch(name)))
    return mark_generated(_TOLD + listed) if listed else ""


def read_by(source: str) -> tuple[str, ...]:
    """The variables that a program says it reads."""
    found = _LINE.search(source)
    return tuple(found["names"].split(", ")) if found else ()


def is_secret(name: str, value: str) -> bool:
    """Whether a variable looks like a secret, by its name or by its value."""
    upper = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()
    words = set(re.split(r"[^A-Z0-9]+", upper))
    named = bool(words & _SECRET) or any(map(_ENDS_SECRET.search, words))
    return (named and upper not in _NO_SECRET) or bool(
        _SECRET_VALUE.search(value) or _RANDOM.fullmatch(value)
    )
