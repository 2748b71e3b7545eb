"""The command ``kfnb``: the verbs of the magics, for a terminal and for CI.

It waits for what it starts, prints progress on stderr, and with ``--json`` the handle on stdout, or the error. Exit
codes: 0 succeeded, 1 failed, 2 wrong use, 130 interrupted. A verb is imported when it is used: help comes at once.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kfnb import __version__ as version
from kfnb import registry
from kfnb.errors import BackendError, Help, KfnbError, UsageError, did_you_mean

if TYPE_CHECKING:
    from kfnb.commands.command import Command
    from kfnb.commands.parser import Parser

INTERRUPTED = 130
_NOT_WRITTEN = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Errors of what the output is written to."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with ``argv`` (the process's own by default) and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    _open_streams()
    try:
        code = _run(words)
        sys.stdout.flush()  # here, where it is caught: at Python's end it would be a traceback
    except BrokenPipeError:
        # what read our output has had enough of it; Python must not complain when it flushes the rest at its end
        _discard_output()
        return 0
    except OSError as error:
        if error.errno not in _NOT_WRITTEN:
            raise
        _discard_output()
        print(f"cannot write the output: {error.strerror}", file=sys.stderr)
        return 1
    return code


def _discard_output() -> None:
    """Let what is still to be printed lead nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_streams() -> None:
    """Let what a shell has closed (``2>&-``) lead nowhere: a run's own files would get its numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 (it stays open to the end)


def _run(words: list[str]) -> int:
    """Run the command of the words; print help, errors and interruptions."""
    try:
        return _dispatch(words)
    except Help as text:
        print(text)
        return 0
    except KeyboardInterrupt as interrupted:
        from kfnb.commands.terminal import notify

        notify(str(interrupted) or "\nInterrupted.")
        return INTERRUPTED
    except KfnbError as error:
        from kfnb.commands.terminal import notify, print_error_as_json

        notify(str(error))
        if "--json" in words:
            print_error_as_json(error)
        # wrong use, as nothing has started yet; a name that is not found has exit code 1, whichever noun it is of
        return 1 if isinstance(error, BackendError) or error.code == "not-found" else 2
    except Exception as error:
        if "--json" in words and getattr(error, "errno", None) not in _NOT_WRITTEN:
            from kfnb.commands.terminal import print_error_as_json

            print_error_as_json(
                KfnbError(f"internal error in kfnb ({type(error).__name__}: {error})", code="internal")
            )
        raise


def _dispatch(words: list[str]) -> int:
    verb = words[0] if words else ""
    if verb in ("--version", "-V"):
        print(f"kfnb {version}")
        return 0
    if verb in ("", "--help", "-h"):
        print(_usage())
        return 0 if verb else 2
    from kfnb.commands.command import read
    from kfnb.commands.terminal import Terminal

    command, parser, rest = command_of(words)
    line = read(command, parser, rest)
    session = Terminal(parser.prog, json=line.json)
    session.show(line.command.run(session))
    return session.code


def command_of(words: Sequence[str]) -> tuple[type[Command], Parser, list[str]]:
    """The command that words call, what reads its words, and those. Raises ``UsageError`` for an unknown verb."""
    from kfnb.commands.command import parser_of
    from kfnb.commands.verbs import split_verb

    verbs, verb = registry.verbs(), words[0]
    if verb not in verbs:
        hint = did_you_mean(verb, summaries(), "kfnb --help shows the verbs")
        raise UsageError(f"unknown verb {verb}", code="unknown-verb", hint=hint, ref=verb)
    further = sub_verbs(verb)
    command = _load(*verbs[verb])
    second, rest = split_verb(f"kfnb {verb}", command, further, words[1:])
    if second:
        verb, further = f"{verb} {second}", {}
        command = _load(*verbs[verb])
    return command, parser_of(command, f"kfnb {verb}", notebook=False, verbs=further), rest


def _load(noun: registry.Noun, row: registry.CommandRow) -> type[Command]:
    command: type[Command] = getattr(noun.module("commands"), row.name)
    return command


def sub_verbs(verb: str) -> Mapping[str, str]:
    """The second words of a verb, with their summaries."""
    return {
        name.removeprefix(f"{verb} "): row.summary
        for name, (_, row) in registry.verbs().items()
        if name.startswith(f"{verb} ")
    }


def summaries() -> Mapping[str, str]:
    """The verbs of one word, with their summaries."""
    return {verb: row.summary for verb, (_, row) in registry.verbs().items() if " " not in verb}


def _usage() -> str:
    verbs = "\n".join(f"  {verb:<11} {summary}" for verb, summary in summaries().items())
    return f"usage: kfnb VERB ...\n\n{verbs}\n\nkfnb VERB --help shows its options."


if __name__ == "__main__":
    sys.exit(main())
