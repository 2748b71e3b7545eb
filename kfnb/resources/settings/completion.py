"""Completion of settings, files and environment variables."""

from __future__ import annotations

import os
from collections.abc import Iterator

from kfnb import settings
from kfnb.commands.completion import Around, Values, files
from kfnb.commands.expected import Expected


def _settings(found: Expected, _around: Around) -> Iterator[str]:
    name, equals, value = found.begun.partition("=")
    if not equals:
        yield from (f"{one}=" for one in settings.names())
    elif name.endswith("_file") or name in ("home", "secrets"):
        yield from (f"{name}={path}" for path in files(value))
    elif name in settings.names():
        yield from (f"{name}={one}" for one in settings.choices(name))


VALUES: dict[str, Values] = {
    "file": lambda found, _around: files(found.begun),
    "setting": _settings,
    "variable": lambda _found, _around: sorted(os.environ),
}
