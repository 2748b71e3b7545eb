"""What removes things asks a person first."""

from __future__ import annotations

from kfnb.commands.session import Session
from kfnb.errors import UsageError


def removal_confirmed(session: Session, what: str) -> bool:
    """Whether a person agrees that ``what`` is removed. Raises ``UsageError`` where no person can answer."""
    if session.prompt is None:
        hint = "no one can confirm it here; give --yes to remove it without confirmation"
        raise UsageError(f"{what}:", code="confirmation-required", hint=hint)
    return session.prompt(f"Remove {what}? [y/N] ").strip().lower() in ("y", "yes")
