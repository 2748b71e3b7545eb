"""What may follow at the end of a line of words: for completion, in a notebook and in a terminal."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kfnb import compat
from kfnb.commands.parser import Parser, Values

_ONE = (None, "?")
"""How often argparse has a positional word that is given once."""


@dataclass(frozen=True)
class Expected:
    """What fits at the cursor.

    ``values`` is the kind of the word there, ``begun`` what of it is typed; the words ``options`` fit too. With
    ``arguments``, so does an argument of the pipeline that ``given`` names. ``given`` are the words before, by name.
    """

    begun: str
    values: Values = ()
    options: tuple[str, ...] = ()
    arguments: bool = False
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def expected(parser: Parser, before: Sequence[str], begun: str) -> Expected:
    """What may follow the words ``before``, where ``begun`` is typed of the next."""
    reading = _Reading(parser)
    for word in before:
        reading.take(word)
    if reading.awaited is not None and not begun.startswith("--"):
        return Expected(begun, reading.awaited, given=reading.words)
    name, equals, value = begun.partition("=")
    if equals and name.startswith("--"):
        action = reading.options.get(name)
        return Expected(value, parser.values[action.dest] if action else (), given=reading.words)
    values = () if begun.startswith("-") else reading.standing or (parser.verbs if not before else ())
    fits = begun.startswith("-") or not (values or reading.needed)
    # a verb may come first also where the noun alone takes a word
    verbs = () if before or begun.startswith("-") or not reading.standing else parser.verbs
    fitting = (*verbs, *(reading.fitting() if fits else ()))
    return Expected(
        begun,
        values,
        fitting,
        arguments=bool(fitting and parser.arguments_of in reading.words),
        given=reading.words,
    )


class _Reading:
    """Reads word after word, as argparse would."""

    def __init__(self, parser: Parser) -> None:
        self.parser = parser
        actions = compat.actions_of(parser)
        self.options = {option: one for one in actions for option in one.option_strings}
        self.places = [one for one in actions if not one.option_strings]
        self.words: dict[str, tuple[str, ...]] = {}
        self._waiting: list[tuple[str, Values]] = []

    @property
    def awaited(self) -> Values | None:
        """What the last option wants next; None where it has all."""
        return self._waiting[0][1] if self._waiting else None

    @property
    def standing(self) -> Values:
        """What the next word means that belongs to no option."""
        return self.parser.values[self.places[0].dest] if self.places else ()

    @property
    def needed(self) -> bool:
        """Whether a word has to come before anything else is of use."""
        return bool(self.places) and self.places[0].nargs is None

    def take(self, word: str) -> None:
        """Read a word."""
        if self._waiting and not word.startswith("--"):
            self._add(self._waiting.pop(0)[0], word)
            return
        name, equals, value = word.partition("=")
        action = self.options.get(name)
        if action is not None:
            self._add(action.dest, *([value] if equals else []))
            self._waiting = [] if equals else list(self._awaited(action))
        elif word.startswith("--"):
            self._add(name)
            self._waiting = [(name, ())] if self.parser.arguments_of and not equals else []
        elif self.places:
            self._add(self.places[0].dest, word)
            if self.places[0].nargs in _ONE:
                self.places.pop(0)

    def _add(self, name: str, *words: str) -> None:
        self.words[name] = (*self.words.get(name, ()), *words)

    def _awaited(self, action: argparse.Action) -> Iterator[tuple[str, Values]]:
        """For each word that an option takes, the kind of its value."""
        if isinstance(action.nargs, int) and action.nargs:  # -p NAME VALUE
            yield action.dest, "argument"
            yield from [(action.dest, ())] * (action.nargs - 1)
        elif action.nargs != 0:
            yield action.dest, self.parser.values[action.dest]

    def fitting(self) -> Iterator[str]:
        """The options that may still be given, those that are asked for most first: help comes last."""
        every = compat.actions_of(self.parser)
        for action in [*(one for one in every if one.dest != "help"), self.options["--help"]]:
            if compat.is_repeatable(action) or action.dest not in self.words:
                yield from [option for option in action.option_strings if len(option) > 2][:1]  # noqa: PLR2004 - "-p"
