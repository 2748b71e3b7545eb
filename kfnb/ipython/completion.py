"""Completion in the notebook: the words of magics, and the keys of what a run has. Nothing else is offered there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult

from kfnb.commands import completion
from kfnb.commands.completion import Around
from kfnb.commands.parser import split_unfinished
from kfnb.ipython.magics import parser_of_magic, verb_of

if TYPE_CHECKING:
    from kfnb.ipython.kernel import Kernel

_MAGIC = re.compile(r"\s*(?:[\w., ]+=\s*)?(?P<magic>%%?kf_\w+)\s+(?P<words>.*)", re.DOTALL)
_KEY = re.compile(
    r"(?P<of>[A-Za-z_][\w.]*(?:\[(?:\"[^\"]*\"|'[^']*'|\d+)\][\w.]*)*)\[(?P<quote>[\"']?)(?P<begun>[^\"'\[\]]*)$"
)


class Nothing(list[SimpleCompletion]):
    """No completion, and none of another completer's: IPython asks the next one where what it gets has no length."""

    def __len__(self) -> int:
        return 1


@dataclass(frozen=True)
class Completion:
    """The words that fit, best first, in the place of ``begun``."""

    begun: str
    words: Iterable[str]


def matches(context: CompletionContext, kernel: Kernel) -> SimpleMatcherResult:
    """What IPython gets: these words alone where kfnb knows what fits, nothing everywhere else."""
    found = completion_of(_line(context), kernel)
    if found is None:
        return {"completions": [], "suppress": False}
    words = [SimpleCompletion(word, type="kfnb") for word in found.words]
    return {
        "completions": words or Nothing(),
        "matched_fragment": found.begun,
        "suppress": True,
        "ordered": True,
    }


def completion_of(line: str, kernel: Kernel) -> Completion | None:
    """What fits at the end of a line; None where that is not for kfnb to say."""
    magic = _MAGIC.fullmatch(line)
    names: Mapping[str, Any] = kernel.shell.user_ns
    if magic is None:
        return _keys(line, names)
    called = magic["magic"]
    if parser_of_magic(called) is None:
        return None
    try:
        before, begun = split_unfinished(magic["words"])
    except ValueError:  # in a quotation, or in brackets
        return Completion("", ())
    if verb := verb_of(called, before):
        called, before = f"{called} {verb}", before[1:]
    parser = parser_of_magic(called)
    assert parser is not None, called
    around = Around(kernel.workspace, names)
    return Completion(begun, completion.complete(parser, before, begun, around))


def _line(context: CompletionContext) -> str:
    """The line up to the cursor, with those before it that end in a backslash."""
    lines = context.full_text.split("\n")[: context.cursor_line + 1]
    text = lines.pop()[: context.cursor_position]
    while lines and lines[-1].endswith("\\"):
        text = lines.pop()[:-1] + text
    return text


# -- keys ---------------------------------------------------------------------------------------------------------


def _keys(line: str, names: Mapping[str, Any]) -> Completion | None:
    """The keys of the expression before an open bracket, where it is a run's, a task's or a study's."""
    found = _KEY.search(line)
    if found is None or not _is_ours(names.get(re.split(r"[.\[]", found["of"])[0])):
        return None
    begun, quote = found["begun"], found["quote"]

    def answer() -> tuple[str, ...]:
        return tuple(map(str, keys_of(_value(ast.parse(found["of"], mode="eval").body, names))))

    keys = completion.answers(("keys", id(names), found["of"]), answer)
    if quote:
        return Completion(begun, [key for key in keys if key.startswith(begun)])
    return Completion(begun, [f'"{key}"' for key in keys]) if not begun else None


def _is_ours(value: Any) -> bool:
    return type(value).__module__.startswith("kfnb.")


def keys_of(value: Any) -> list[str]:
    """The keys of a mapping."""
    return [key for key in value if isinstance(key, str)] if isinstance(value, Mapping) else []


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of names, attributes and subscripts: only data is asked for, nothing is called."""
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.Attribute) and not node.attr.startswith("_"):
        value = _value(node.value, names)
        if not _is_ours(value):
            raise TypeError(f"{node.attr} is not an attribute of an object of kfnb")
        return getattr(value, node.attr)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return _value(node.value, names)[node.slice.value]
    raise TypeError("no data")
