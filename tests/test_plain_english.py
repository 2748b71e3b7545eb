"""Messages, help, docstrings and docs are in plain English: phrases that a maintainer would not write are banned.

What is read: every string and docstring of the Python files, every string and text of the TypeScript files, and the
prose of the pages (not their code). Comments are not read. A phrase that is meant is an exception, with its reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

CLEAN = (
    "README.md",
    "docs/capture.md",
    "docs/cluster.md",
    "docs/components.md",
    "docs/environment.md",
    "docs/errors.md",
    "docs/files.md",
    "docs/image.md",
    "docs/katib.md",
    "docs/notebooks.md",
    "docs/reporting.md",
    "docs/status.md",
    "docs/tuning.md",
    "js/src",
    "kfnb/artifacts",
    "kfnb/capture",
    "kfnb/cli.py",
    "kfnb/commands",
    "kfnb/compat.py",
    "kfnb/diagnostics.py",
    "kfnb/errors.py",
    "kfnb/execute",
    "kfnb/extras.py",
    "kfnb/ipython",
    "kfnb/live",
    "kfnb/model",
    "kfnb/pipeline",
    "kfnb/registry.py",
    "kfnb/resources/cluster",
    "kfnb/resources/components",
    "kfnb/resources/images",
    "kfnb/resources/localcluster",
    "kfnb/resources/notebooks",
    "kfnb/resources/settings",
    "kfnb/resources/studies",
    "kfnb/settings.py",
    "kfnb/sourcemap.py",
    "kfnb/target.py",
    "kfnb/text",
    "kfnb/ui",
)
"""The files and folders that are read so far."""

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
}
"""What is banned, as a regular expression, and what to write instead."""

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


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("a.py", 'x = 1  # is no string\nraise ValueError(f"{x} is no number")', [(2, "is no")]),
        ("a.py", '"""A docstring.\n\nOne that nobody reads.\n"""', [(3, "nobody")]),
        ("a.py", "x = ('it goes '\n     'on without end')", [(1, "goes on")]),
        ("a.py", 'x = "there is no run, which is no longer a surprise"', []),
        ("a.py", 'x = {"told": 1}\n"""``nobody`` is a name."""', []),
        ("a.tsx", '<p class="told">{`${told} is here`}</p>', []),
        ("a.tsx", "// nobody reads this\nconst x = 'the run goes on';", [(2, "goes on")]),
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
    """The strings of a program with their lines; an f-string is one text, with an ellipsis for each value."""
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
    """The strings and the texts between tags of a script, with their lines."""
    for found in _SCRIPT_TEXT.finditer(source):
        if found.group("comment") is None and not _is_key(found.group().strip("\"'`")):
            yield source[: found.start()].count("\n") + 1, re.sub(r"\$\{[^}]*\}?", "…", found.group())


def _page(source: str) -> Iterator[tuple[int, str]]:
    """The prose of a page: its code is blank."""
    yield 1, _CODE.sub(lambda found: re.sub(r"[^\n]", "#", found.group()), source)
