"""Columns whose values are not kept, or as digests alone."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from kfnb.server.encoding import json_value

_SALT = "salt"
_BYTES = 16
"""Bytes of a digest."""


class PersonalColumns:
    """Which columns are dropped and which are hashed, with a salt that one service alone has."""

    def __init__(self, drop: Iterable[str], hashed: Iterable[str], salt: bytes) -> None:
        self._drop, self._hashed, self._salt = frozenset(drop), frozenset(hashed), salt

    def __bool__(self) -> bool:
        return bool(self._drop or self._hashed)

    def drops(self, column: str) -> bool:
        """Whether nothing is kept of a column."""
        return column in self._drop

    def hashes(self, column: str) -> bool:
        """Whether digests are kept of a column."""
        return column in self._hashed

    def digest(self, value: Any) -> str | None:
        """What is kept of a value: equal values have equal digests, and null stays null."""
        plain = json_value(value)
        if plain is None:
            return None
        if isinstance(plain, float) and plain.is_integer():
            plain = int(plain)  # a column of integers is one of floats where some are missing
        text = json.dumps(plain, sort_keys=True).encode()
        return hashlib.blake2b(text, key=self._salt, digest_size=_BYTES).hexdigest()

    def row(self, row: Any, names: Sequence[str]) -> Any:
        """A row of a request; ``names`` are the model's columns. Columns that it does not know are not kept.

        Of a row whose columns have no names (an array), nothing is kept.
        """
        if not self:
            return row
        if not all(names):
            return None
        if isinstance(row, list) and len(row) == len(names):
            row = dict(zip(names, row, strict=True))
        if not isinstance(row, Mapping):
            return None if len(names) != 1 else self._value(names[0], row)
        return {name: self._value(name, row[name]) for name in names if name in row and not self.drops(name)}

    def _value(self, name: str, value: Any) -> Any:
        if self.drops(name):
            return None
        return self.digest(value) if self.hashes(name) else value


def salt_in(folder: Path) -> bytes:
    """The salt of a request log, which its first process makes. Raises ``OSError``."""
    place, draft = folder / _SALT, folder / f".{_SALT}-{os.getpid()}"
    if not place.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(32))
        with suppress(FileExistsError):  # another process was faster
            os.link(draft, place)
        draft.unlink()
    return place.read_bytes()
