"""Commands: what a magic and a verb have in common. A command is a frozen dataclass of the options that were given.

Its fields say how each option is written (``word``, ``option``, ``flag``, ``repeated``, ``arguments``), its docstring
is its help, and ``run`` does the work, in a notebook and in a terminal alike: where they differ, the ``Session`` does.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from keyword import iskeyword
from typing import Any, ClassVar, TypeVar

from kfnb.commands.parser import Parser, Values
from kfnb.commands.session import Session
from kfnb.errors import UsageError

C = TypeVar("C", bound="Command")


@dataclass(frozen=True, kw_only=True)
class Command:
    """The base of all commands.

    ``binds``: in a notebook, ``-o NAME`` binds what it gives to a name. ``json`` is the help of ``--json`` in a
    terminal; without it there is none. ``arguments_of`` is the field that names a pipeline, whose arguments are
    further options. ``runs_as_cell``: the cell below its ``%%`` line runs as any cell.
    """

    binds: ClassVar[bool] = False
    json: ClassVar[str] = ""
    arguments_of: ClassVar[str] = ""
    runs_as_cell: ClassVar[bool] = False

    @classmethod
    def expand(cls, line: str, names: Mapping[str, Any]) -> str:
        """The line of a magic with a notebook's names filled in, where IPython does not do it (in code)."""
        del names
        return line

    def check(self, parser: Parser) -> None:
        """Refuse options that do not go together, by ``parser.error``."""

    def run(self, session: Session) -> Any:
        """Do it. What is returned is shown; None shows nothing."""
        raise NotImplementedError


# -- fields ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Spec:
    """How a field is written. ``names`` are empty for a positional word."""

    names: tuple[str, ...]
    how: Mapping[str, Any]
    values: Values = ()
    positional: bool = False
    arguments: bool = False


def word(help: str, *, values: Values = (), many: str = "", default: Any = ..., **how: Any) -> Any:
    """A word without an option's name; optional with a ``default``. ``many`` is argparse's ``nargs``."""
    if many:
        how["nargs"] = many
    elif default is not ...:
        how["nargs"] = "?"
    first = () if many and default is ... else None if default is ... else default
    return field(default=first, metadata={"spec": _Spec((), {"help": help, **how}, values, positional=True)})


def option(*names: str, help: str, values: Values = (), default: Any = None, **how: Any) -> Any:
    """An option with a value: ``--field-name`` if no ``names`` are given."""
    return field(default=default, metadata={"spec": _Spec(names, {"help": help, **how}, values)})


def flag(*names: str, help: str) -> Any:
    """An option without a value."""
    return field(default=False, metadata={"spec": _Spec(names, {"help": help, "action": "store_true"})})


def repeated(*names: str, metavar: str, help: str, values: Values = (), **how: Any) -> Any:
    """An option that may be given several times."""
    options = {"help": f"{help}; may be repeated", "action": "append", "metavar": metavar, **how}
    return field(default=(), metadata={"spec": _Spec(names, options, values)})


def arguments(help: str) -> Any:
    """The arguments of a pipeline: ``-p NAME VALUE`` and, where the command has ``arguments_of``, ``--name value``."""
    how = {"help": help, "action": "append", "nargs": 2, "metavar": ("NAME", "VALUE")}
    return field(default_factory=dict, metadata={"spec": _Spec(("-p",), how, arguments=True)})


def _fields(command: type[Command]) -> list[Field[Any]]:
    """The fields of a command: its own first, then those that it shares with others."""
    own = command.__annotations__
    return sorted(fields(command), key=lambda one: one.name not in own)


# -- reading --------------------------------------------------------------------------------------------------------


def parser_of(
    command: type[Command], prog: str, *, notebook: bool, verbs: Mapping[str, str] | None = None
) -> Parser:
    """The parser of a command's options, as ``prog``; with what only a ``notebook`` or only a terminal has.

    ``verbs`` are further words that may stand first, with their summaries.
    """
    parser = Parser(
        prog, " ".join(inspect.cleandoc(command.__doc__ or "").split()), arguments_of=command.arguments_of
    )
    for one in _fields(command):
        spec: _Spec = one.metadata["spec"]
        if spec.positional:
            parser.add_argument(one.name, values=spec.values, **_with_default(one.default, spec.how))
        else:
            names = spec.names or (f"--{one.name.replace('_', '-')}",)
            dest = "p" if spec.arguments else one.name
            parser.add_argument(*names, dest=dest, values=spec.values, **_with_default(one.default, spec.how))
    if notebook and command.binds:
        parser.add_argument(
            "-o", dest="bind", metavar="NAME", type=_name, help="also bind the result to this name"
        )
    if not notebook and command.json:
        parser.add_argument("--json", action="store_true", help=command.json)
    if verbs:
        parser.verbs = tuple(verbs)
        text = "; ".join(f"{prog} {verb} to {summary}" for verb, summary in verbs.items())
        parser.epilog = f"further verbs: {text}"
    return parser


@dataclass(frozen=True)
class OptionText:
    """How an option is written, such as ``--limit N``, and its help."""

    written: str
    help: str


def options_of(command: type[Command]) -> list[OptionText]:
    """The words and options of a command, for its reference: words first."""
    found = [(one, one.metadata["spec"]) for one in _fields(command)]
    return [
        OptionText(_written(one.name, spec), str(spec.how["help"]))
        for one, spec in sorted(found, key=lambda pair: not pair[1].positional)
    ]


def _written(name: str, spec: _Spec) -> str:
    metavar = spec.how.get("metavar") or (
        "|".join(map(str, spec.how["choices"])) if spec.how.get("choices") else name.upper()
    )
    if spec.positional:
        many = "..." if spec.how.get("nargs") in ("*", "+") else ""
        return f"{str(metavar).upper()} {many}".rstrip()
    names = ", ".join(spec.names or (f"--{name.replace('_', '-')}",))
    if spec.how.get("action") == "store_true":
        return names
    return f"{names} {' '.join(metavar) if isinstance(metavar, tuple) else metavar}"


def _with_default(default: Any, how: Mapping[str, Any]) -> dict[str, Any]:
    """Argparse's keywords; what is repeated is a new list each time."""
    if how.get("action") == "append" and how.get("nargs") != 2:  # noqa: PLR2004 - -p NAME VALUE
        return {**how, "default": None}
    if how.get("action") in ("append", "store_true") or how.get("nargs") in ("*", "+"):
        return dict(how)
    return {**how, "default": default}


@dataclass(frozen=True)
class Line:
    """A parsed command, with the options common to all commands: the name to bind, and whether JSON is printed."""

    command: Command
    bind: str | None = None
    json: bool = False


def read(command: type[Command], parser: Parser, words: str | Sequence[str]) -> Line:
    """Read a magic's line, or a verb's words. Raises ``UsageError``, or ``Help``."""
    given: Mapping[str, str] = {}
    if command.arguments_of:
        found, given = parser.read_with_arguments(words)
    else:
        found = parser.read(words)
        given = dict(getattr(found, "p", None) or ())
    values = vars(found)
    options: dict[str, Any] = {}
    for one in fields(command):
        spec: _Spec = one.metadata["spec"]
        if spec.arguments:
            options[one.name] = dict(given)
            continue
        value = values[one.name]
        repeats = one.default == () and isinstance(one.default, tuple)
        options[one.name] = tuple(value or ()) if repeats else value
    made = command(**options)
    made.check(parser)
    return Line(made, values.get("bind"), bool(values.get("json")))


def _name(text: str) -> str:
    if not text.isidentifier() or iskeyword(text):
        raise UsageError(f"-o {text}: not a valid name")
    return text
