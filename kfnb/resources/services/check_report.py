"""What the check of a version found, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.resources.services.model import Parity


def failures(parity: Parity) -> list[str]:
    """The checks that failed: each with its message and the likely cause."""
    return [_line(one) for one in _checks(parity) if not one.get("passed", True)]


def remarks(parity: Parity) -> list[str]:
    """What was not checked, and why."""
    return [str(one["message"]) for one in _checks(parity) if one.get("passed") and one.get("message")]


def _checks(parity: Parity) -> Iterator[Mapping[str, Any]]:
    """The checks of a report; none where it has another form."""
    found = parity.report.get("checks", ())
    return (one for one in (found if isinstance(found, list | tuple) else ()) if isinstance(one, Mapping))


def _line(check: Mapping[str, Any]) -> str:
    cause = f" (likely cause: {check['cause']})" if check.get("cause") else ""
    return f"{check.get('name', 'check')}: {check.get('message', '')}{cause}"
