"""Options that give values by name: ``--metric accuracy=0.9``, ``--tag team=growth``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kfnb.errors import UsageError


def pairs(what: str, texts: Sequence[str], *, bare: bool = False) -> dict[str, str]:
    """``NAME=VALUE`` texts by name; with ``bare``, a name alone has an empty value. Raises ``UsageError``."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not (equals or bare):
            raise UsageError(f"{what} {text}: write {what} NAME=VALUE", ref=text)
        if name in found:
            raise UsageError(f"{what} {name} is given more than once", ref=name)
        found[name] = value
    return found


def numbers(texts: Sequence[str]) -> Mapping[str, float]:
    """The numbers of ``NAME=NUMBER`` texts by name. Raises ``UsageError``."""
    found = {}
    for name, text in pairs("--metric", texts).items():
        try:
            found[name] = float(text)
        except ValueError:
            raise UsageError(f"--metric {name}={text}: {text!r} is not a number", ref=name) from None
    return found
