"""References to versions of data sets: ``churn-data``, ``churn-data@2``, ``churn-data@latest``."""

from __future__ import annotations

from kfnb.errors import UsageError
from kfnb.resources.datasets.store import check_name

LATEST = "latest"


def parse_ref(text: str) -> tuple[str, int | None]:
    """The name and the number of a version; None for the newest. Raises ``UsageError``."""
    if not isinstance(text, str):  # a program may give anything
        return check_name(text), None
    name, at, version = text.strip().removeprefix("local:").partition("@")
    check_name(name)
    if not at or version == LATEST:
        return name, None
    if not version.isascii() or not version.isdigit() or int(version) < 1:
        raise UsageError(
            f"invalid version {version!r} in {text}",
            code="invalid-argument",
            hint=f"use a number from 1, as in {name}@2, or {name}@{LATEST}",
            ref=text,
        )
    return name, int(version)
