"""Messages, help, docstrings and docs are in plain English: phrases that a maintainer would not write are banned.

What is read: every string, docstring and comment of the Python and TypeScript files, the texts of the latter, and the
prose of the pages (not their code). A phrase that is meant is an exception, with its reason. Functions, classes,
arguments, variables and fields have no name of a few words that say nothing of what they hold.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

CLEAN = ("README.md", "CONTRIBUTING.md", "docs", "js/src", "kfnb")
"""The files and folders that are read."""

BANNED = {
    r"(?<!\bthere) (?:is|are|was|were) no\b(?! (?:longer|more|less|one)\b)": "is not a, unknown, not found",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"\b(?:puts?|putting) (?:\w+ )?away\b": "archive",
    r"\btold\b": "given, shown, reported, printed",
    r"\bsaid\b": "reported, printed, given",
    r"\b(?:go|goes|going|went) on\b(?! (?:a|an|the|another)\b)": "continue, be still running",
    r"\b(?:some|any|every)body\b": "a person, the user, anyone",
    r"\bnobody\b": "no one, no user",
    r"\b(?:to be|is|are|was|be|can be) had\b": "available",
    r"\b(?:stand|stands|stood) (?:twice|in|on|before|after|beside|under|here|there)\b": "is, is given",
    r"\b(?:lie|lies|lay) (?:in|at|beside|under|within|outside|there|here|next)\b": "is",
    r"\bdoubtful\b": "warning",
    r"\bof (?:its|their) own\b": "own: its own folder, not a folder of its own",
    r"\bmet with\b": "the verb",
    r"\bspeaks? of\b": "refer to",
    r"\bnot to be\b": "must not be, cannot be",
    r"\bwhatever (?:it|they) (?:is|are)\b": "nothing",
    r"\bas it is(?=[.,;:)]|$)": "unchanged, as given",
    r"\bthat there (?:is|are)(?=[.,;:)]|$)": "nothing",
    r"\bat all\b": "nothing",
    r"\bis asked of\b": "requirements of",
    r"\bso many\b": "a number of, or the argument's name",
    r"\bof ours\b": "kfnb's, managed",
    r"\b(?:on|in) (?:its|their|the) way\b(?! to)": "intermediate",
    r"\bwhoever made\b": "whatever created",
    r"\bsays? itself\b": "reports, renders",
    r"\b(?:a|each|last|one|two|between) looks?\b(?! (?:at|like))": "poll",
    r"\b(?:hear|hears|heard)\b": "receive",
    r"\b(?:is|are|was|were) wanted\b": "is required, is requested",
}
"""What is banned, as a regular expression, and what to write instead."""

NAMES = {"told", "said", "asked", "wanted", "hear", "heard", "look", "tell"}
"""Words that are no names: use message, text, request, expected, receive, poll, notify."""

NAMED = {
    ("kfnb/artifacts/binary.py", "tell"): "the method of files",
    ("kfnb/resources/studies/local/suggester.py", "tell"): "the verb of Optuna's ask and tell",
    ("kfnb/resources/cluster/model.py", "asked"): "the former name of a public field",
    ("kfnb/resources/cluster/model.py", "told"): "the former name of public fields",
    ("kfnb/resources/cluster/model.py", "wanted"): "the former name of a public field",
    ("kfnb/resources/notebooks/model.py", "told"): "the former name of a public field",
    ("kfnb/spawning.py", "Asked"): "the former name of a public class",
}
"""Names that are meant, with the reason."""

EXCEPTIONS: dict[tuple[str, str], str] = {}
"""A file and a phrase in it that are meant, with the reason."""

_FILES = sorted(
    path
    for pattern in ("kfnb/**/*.py", "js/src/**/*.ts", "js/src/**/*.tsx", "docs/*.md", "README.md")
    for path in ROOT.glob(pattern)
)
_SCRIPT_TEXT = re.compile(
    r"""(?P<comment>/\*.*?\*/|(?<!:)//[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\\n])*`)"""
    r"""|(?<=>)(?P<text>[^<>{}=;()]+)(?=[<{])""",
    re.DOTALL,
)
_QUOTED = re.compile(r"``[^`\n]*``")
_CODE = re.compile(r"(?ms)^ *```.*?^ *```|^    .*?$|`[^`\n]*`|<!--.*?-->")


def _clean() -> list[Path]:
    return [path for path in _FILES if any(path.is_relative_to(ROOT / clean) for clean in CLEAN)]


@pytest.mark.parametrize("path", _clean(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_in_plain_english(path):
    file = str(path.relative_to(ROOT))

    found = [
        f"{file}:{line}: {phrase!r}; write: {instead}"
        for line, phrase, instead in banned(path)
        if (file, phrase) not in EXCEPTIONS
    ]

    assert not found, "\n".join(found)


@pytest.mark.parametrize(("file", "phrase"), EXCEPTIONS)
def test_an_exception_is_still_needed(file, phrase):
    assert phrase in [found for _, found, _ in banned(ROOT / file)]


def test_no_name_says_only_that_something_was_said():
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / "kfnb").rglob("*.py")
        for name in _names(ast.parse(path.read_text(encoding="utf-8")))
        if NAMES & {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", name)}
    }

    assert found == set(NAMED)


def _names(tree: ast.AST) -> Iterator[str]:
    """The names that a module gives: functions, classes, arguments, variables and fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        (
            "a.py",
            'x = 1  # is no number\nraise ValueError(f"{x} is no number")',
            [(1, "is no"), (2, "is no")],
        ),
        ("a.py", '"""A docstring.\n\nOne that nobody reads.\n"""', [(3, "nobody")]),
        ("a.py", "x = ('it goes '\n     'on without end')", [(1, "goes on")]),
        ("a.py", 'x = "there is no run, which is no longer a surprise"', []),
        ("a.py", 'x = {"told": 1}\n"""``nobody`` is a name."""', []),
        ("a.tsx", '<p class="told">{`${told} is here`}</p>', []),
        ("a.tsx", "// nobody reads this\nconst x = 'the run goes on';", [(1, "nobody"), (2, "goes on")]),
        ("a.tsx", "return <p>\n  Not told {x}\n</p>;", [(2, "told")]),
        ("a.md", "It says `nobody`.\n\n```\nnobody\n```\n\nThe run goes\non.", [(7, "goes on")]),
    ],
)
def test_a_banned_phrase_is_found_with_its_line(tmp_path, name, source, expected):
    (tmp_path / name).write_text(source, encoding="utf-8")

    assert [(line, phrase) for line, phrase, _ in banned(tmp_path / name)] == expected


def banned(path: Path) -> list[tuple[int, str, str]]:
    """The line of each banned phrase of a file, the phrase, and what to write instead."""
    read = {".py": _python, ".md": _page}.get(path.suffix, _script)
    return sorted(
        (line + text[: found.start()].count("\n"), " ".join(found.group().split()), instead)
        for line, text in read(path.read_text(encoding="utf-8"))
        for pattern, instead in BANNED.items()
        for found in re.finditer(pattern.replace(" ", r"\s+"), text, re.IGNORECASE)
    )


def _python(source: str) -> Iterator[tuple[int, str]]:
    """The strings and comments of a program with their lines; an f-string is one text, an ellipsis for each value."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], _QUOTED.sub("…", token.string)
    tree = ast.parse(source)
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in joined for part in node.values}
    for node in joined:
        yield (
            node.lineno,
            "".join(str(getattr(part, "value", "")) if _is_text(part) else "…" for part in node.values),
        )
    for node in ast.walk(tree):
        if _is_text(node) and id(node) not in parts and not _is_key(node.value):
            yield node.lineno, _QUOTED.sub("…", node.value)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_key(text: str) -> bool:
    """Whether a string is the name of something in code: one lower-case word."""
    return text.isidentifier() and text.islower()


def _script(source: str) -> Iterator[tuple[int, str]]:
    """The strings, comments and texts between tags of a script, with their lines."""
    for found in _SCRIPT_TEXT.finditer(source):
        if not _is_key(found.group().strip("\"'`")):
            yield source[: found.start()].count("\n") + 1, re.sub(r"\$\{[^}]*\}?", "…", found.group())


def _page(source: str) -> Iterator[tuple[int, str]]:
    """The prose of a page: its code is blank."""
    yield 1, _CODE.sub(lambda found: re.sub(r"[^\n]", "#", found.group()), source)
