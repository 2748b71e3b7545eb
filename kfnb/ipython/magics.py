"""The magics: each reads its line as a command of a noun, runs that, and gives back what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError as IPythonUsageError

from kfnb import registry
from kfnb.commands.command import Command, parser_of, read
from kfnb.commands.parser import Parser
from kfnb.commands.verbs import split_verb
from kfnb.diagnostics import logger
from kfnb.errors import Help, KfnbError, UsageError, interrupted
from kfnb.ipython.session import NotebookSession

if TYPE_CHECKING:
    from kfnb.ipython.kernel import Kernel

_logger = logger(__package__)


def command_of(magic: str) -> tuple[type[Command], str] | None:
    """The command of a magic (``%kf_x``, ``%%kf_x`` or, with a verb, ``%kf_x add``), and how it is called."""
    form = "cell" if magic.startswith("%%") else "line"
    name, _, verb = magic.lstrip("%").partition(" ")
    found = registry.magic_verbs(name).get(verb) if verb else registry.magics().get(name, {}).get(form)
    if found is None:
        return None
    noun, row = found
    command: type[Command] = getattr(noun.module("commands"), row.name)
    return command, row.magic


def parser_of_magic(magic: str) -> Parser | None:
    """What reads the words of a magic; None where there is none."""
    found = command_of(magic)
    return None if found is None else _parser(*found)


def verb_of(magic: str, words: Sequence[str]) -> str:
    """The verb of a line magic that its words begin with; empty where that is none of its verbs."""
    return words[0] if words and not magic.startswith("%%") and command_of(f"{magic} {words[0]}") else ""


def _parser(command: type[Command], magic: str) -> Parser:
    verbs = {} if magic.startswith("%%") else registry.magic_verbs(magic.lstrip("%"))
    return parser_of(
        command, magic, notebook=True, verbs={verb: row.summary for verb, (_, row) in verbs.items()}
    )


def help_of(name: str) -> str:
    """The help of a magic, of both of its forms."""
    parsers = (parser_of_magic(f"{sign}{name}") for sign in ("%", "%%"))
    return "\n".join(parser.format_help() for parser in parsers if parser is not None)


def call(kernel: Kernel, name: str, line: str, body: str | None) -> Any:
    """Run a magic as IPython calls it: with a ``body``, its cell form.

    What goes wrong is a ``KfnbError``, so that no traceback of kfnb's code reaches the notebook.
    """
    __tracebackhide__ = True
    try:
        # IPython hands a silencing semicolon on to the magic
        return _run(kernel, name, line.rstrip().removesuffix(";"), body)
    except Help as text:
        print(text)
        return None
    except (KfnbError, IPythonUsageError):
        raise
    except KeyboardInterrupt as interrupt:
        raise interrupted(str(interrupt) or f"%{name} was interrupted") from None
    except Exception as error:
        _logger.warning("An internal error in %%%s.", name, exc_info=True)
        raise KfnbError(
            f"internal error in kfnb ({type(error).__name__}: {error})",
            code="internal",
            hint="%kf_config debug=true shows where",
        ) from error


def _run(kernel: Kernel, name: str, line: str, body: str | None) -> Any:
    command, prog = _form(name, cell=body is not None)
    if body is not None and command.runs_as_cell:
        # called by a program; typed in a cell, it is the line form with the code after it
        result = kernel.shell.run_cell(f"%%{name} {line}\n{body}")
        result.raise_error()
        return result.result
    if body is None:
        verb, rest = split_verb(prog, command, registry.magic_verbs(name), line.split(maxsplit=1))
        if verb:
            command, prog = _form(f"{name} {verb}", cell=False)
            line = "".join(rest)
    line = command.expand(line, kernel.shell.user_ns)
    found = read(command, _parser(command, prog), line)  # shows help also where the code is missing
    if body is None and prog.startswith("%%") and not command.runs_as_cell:
        raise UsageError(f"{prog} begins a cell; its code follows on the next lines")
    session = NotebookSession(kernel, prog, line, body or "", found.bind)
    result = found.command.run(session)
    if result is not None:
        session.started(result)
    return result


def _form(name: str, *, cell: bool) -> tuple[type[Command], str]:
    """The command of that form of a magic. One that runs as a cell is called as a line, before its code."""
    found = command_of(f"%%{name}" if cell else f"%{name}")
    if found is None and not cell:
        found = command_of(f"%%{name}")
    assert found is not None, name
    return found
