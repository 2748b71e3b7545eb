"""A parser of the words of a magic's line, or of a command's."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn, TypeAlias

from kfnb import compat
from kfnb.errors import Code, Help, UsageError, did_you_mean

Values: TypeAlias = str | tuple[str, ...]
"""What a word is, for completion: the possible words, or the kind of thing that the word names."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of exiting.

    With ``arguments_of``, the word of that name is a pipeline, whose arguments are further options. ``verbs`` are what
    may take the place of all other words.
    """

    def __init__(self, prog: str, description: str, *, arguments_of: str = "") -> None:
        self.values: dict[str, Values] = {}
        self.arguments_of = arguments_of
        self.verbs: tuple[str, ...] = ()
        super().__init__(prog=prog, description=description, allow_abbrev=False, add_help=False)
        self.add_argument("--help", "-h", action="store_true", help="show this help")

    def add_argument(self, *words: str, values: Values = (), **how: Any) -> argparse.Action:
        """As argparse has it; ``values`` are offered where the word is completed."""
        action = super().add_argument(*words, **how)
        self.values[action.dest] = values or tuple(map(str, action.choices or ()))
        return action

    def error(self, message: str, *, code: Code | None = None, hint: str = "", ref: str = "") -> NoReturn:
        """Raise the usage error, with how to see the help."""
        how = "; ".join(filter(None, (hint, f"{self.prog} --help shows how")))
        raise UsageError(f"{self.prog}: {message}", code=code, hint=how, ref=ref)

    def read(self, words: str | Sequence[str]) -> argparse.Namespace:
        """The options in a magic's line, or in a command's words. Raises ``UsageError``, or ``Help``."""
        found, rest = self._read(words)
        if rest:
            first = words.split()[0] if isinstance(words, str) else words[0]
            self._refuse(rest[0], first)
        return found

    def read_with_arguments(self, words: str | Sequence[str]) -> tuple[argparse.Namespace, dict[str, str]]:
        """As ``read``, for a verb that also takes a pipeline's arguments."""
        found, rest = self._read(words)
        arguments = dict(found.p or ())
        while rest:
            word = rest.pop(0)
            if not word.startswith("--"):
                self.error(f"{word} is not expected here: a pipeline's argument is --name value")
            name, equals, value = word[2:].partition("=")
            if not equals:
                if not rest:
                    self.error(f"--{name} needs a value")
                value = rest.pop(0)
            arguments[name] = value
        return found, arguments

    def _read(self, words: str | Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
        split = self.split(words) if isinstance(words, str) else list(words)
        if "--help" in split or "-h" in split:
            raise Help(self.format_help(), self)
        return self.parse_known_args(split)

    def split(self, line: str) -> list[str]:
        """The words of a line: quotes around a word are taken off, those in brackets are a literal's own."""
        try:
            return split_words(line)
        except ValueError as error:
            self.error(f"{error} in {line!r}")

    def _refuse(self, word: str, first: str) -> NoReturn:
        """Refuse a word; where verbs are known, the ``first`` word may be one that is misspelt."""
        known = [option for action in compat.actions_of(self) for option in action.option_strings]
        word = word.partition("=")[0]
        hint = did_you_mean(word, known)
        if word.startswith("-"):
            self.error(f"unknown option {word}", code="unknown-option", hint=hint, ref=word)
        if self.verbs and not first.startswith("-"):
            hint = did_you_mean(first, self.verbs, f"the verbs are {', '.join(self.verbs)}")
        self.error(f"unexpected argument {word}", hint=hint, ref=word)


_CLOSING = {"[": "]", "(": ")", "{": "}"}


def split_words(line: str) -> list[str]:
    """The words of a line as a shell reads them, except that text in brackets is a literal, with its own quotes.

    A ``#`` alone begins a comment, as a Python programmer ends a line. Raises ValueError for a quote or a
    bracket that is not closed.
    """
    words: list[str] = []
    place, new = 0, True
    while place < len(line):
        if line[place].isspace():
            place, new = place + 1, True
            continue
        if new and line[place : place + 2].rstrip() == "#":
            break
        part, place = _part(line, place)
        words = [*words, part] if new else [*words[:-1], words[-1] + part]
        new = False
    return words


def split_unfinished(line: str) -> tuple[list[str], str]:
    """The whole words of a line that is being typed, and what there is of the next. Raises ValueError as above."""
    split_words(line)
    last = line[len(re.sub(r"\S*$", "", line)) :]
    return split_words(line.removesuffix(last) if last else line), last


def _part(line: str, place: int) -> tuple[str, int]:
    """What the text at ``place`` gives of a word: a character, or what is quoted or in brackets; and where it ends."""
    character = line[place]
    if character in _CLOSING:
        end = _closed(line, place)
        return line[place:end], end
    if character in "'\"":
        end = _unquoted(line, place, escapes=character == '"')
        text = line[place + 1 : end]
        return re.sub(r'\\(["\\$`])', r"\1", text) if character == '"' else text, end + 1
    if character == "\\" and place + 1 < len(line):
        return line[place + 1], place + 2
    return character, place + 1


def _unquoted(line: str, start: int, *, escapes: bool) -> int:
    """Where the quotation that begins at ``start`` ends: with ``escapes``, not at a quote after a backslash."""
    place = start + 1
    while place < len(line) and line[place] != line[start]:
        place += 2 if escapes and line[place] == "\\" else 1
    if place >= len(line):
        raise ValueError("No closing quotation")
    return place


def _closed(line: str, start: int) -> int:
    """Where the bracket that opens at ``start`` has closed; what is quoted inside does not count."""
    waiting, place = [_CLOSING[line[start]]], start + 1
    while waiting:
        if place >= len(line):
            raise ValueError("No closing bracket")
        character = line[place]
        if character in "'\"":
            place = _unquoted(line, place, escapes=True)
        elif character in _CLOSING:
            waiting.append(_CLOSING[character])
        elif character == waiting[-1]:
            waiting.pop()
        place += 1
    return place
