"""The verb after a noun: ``kfnb data add``, and ``%kf_data add`` in a notebook."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kfnb.commands.command import Command, options_of
from kfnb.errors import UsageError, did_you_mean


def split_verb(
    prog: str, command: type[Command], verbs: Collection[str], words: Sequence[str]
) -> tuple[str, list[str]]:
    """The verb that ``words`` begin with, and the words after it; no verb where the words are ``command``'s own.

    ``command`` is that of the noun alone, called as ``prog``. Where it takes options only, its first word has to be
    one of ``verbs``: raises ``UsageError`` for another.
    """
    first = words[0] if words else ""
    if first in verbs:
        return first, list(words[1:])
    if not verbs or not first or first.startswith("-") or takes_words(command):
        return "", list(words)
    hint = did_you_mean(first, verbs, f"the verbs are {', '.join(verbs)}")
    raise UsageError(f"{prog}: unknown verb {first}", code="unknown-verb", hint=hint, ref=first)


def takes_words(command: type[Command]) -> bool:
    """Whether a command takes words beside its options."""
    return any(not option.written.startswith("-") for option in options_of(command))
