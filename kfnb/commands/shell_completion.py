"""``kfnb completion``: what a shell runs to complete the words of the command, and the answers that it gets."""

from __future__ import annotations

import os
import sys

from kfnb.cli import VERBS, verb_of
from kfnb.commands.completion import Around, complete
from kfnb.commands.parser import Parser, split_unfinished
from kfnb.errors import Help

_BASH = """\
_kfnb() {
    local line=${COMP_LINE:0:COMP_POINT}
    local word=${line##*[[:space:]]}
    # readline replaces what follows the last = or : of a word
    local lead=${word%"${word##*[=:]}"} answer
    COMPREPLY=()
    while IFS= read -r answer; do
        COMPREPLY+=("${answer#"$lead"}")
    done < <(kfnb completion --line "$line" 2>/dev/null)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
}
complete -o nosort -F _kfnb kfnb 2>/dev/null || complete -F _kfnb kfnb
"""
_ZSH = """\
#compdef kfnb
_kfnb() {
    local -a answers folders
    answers=("${(@f)$(kfnb completion --line "${(j: :)words[1,CURRENT-1]} $PREFIX" 2>/dev/null)}")
    folders=("${(@M)answers:#*/}")
    answers=("${(@)answers:#*/}")
    (( ${#answers} )) && [[ -n ${answers[1]} ]] && compadd -V kfnb -- "${answers[@]}"
    (( ${#folders} )) && compadd -V folders -S '' -- "${folders[@]}"
}
compdef _kfnb kfnb
"""
_FISH = """\
complete -c kfnb -f -k -a '(kfnb completion --line (commandline -cp) 2>/dev/null)'
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
_HOW = {
    "bash": "source <(kfnb completion bash)     in ~/.bashrc",
    "zsh": "source <(kfnb completion zsh)      in ~/.zshrc, after compinit",
    "fish": "kfnb completion fish | source      in ~/.config/fish/config.fish",
}


def completion(words: list[str]) -> int:
    """``kfnb completion``."""
    parser = Parser("kfnb completion", "Print what completes the words of kfnb in your shell.")
    parser.add_argument("shell", nargs="?", choices=tuple(SCRIPTS), help="your shell")
    parser.add_argument("--line", metavar="LINE", help="print how the last word of this line may go on")
    parser.epilog = "; ".join(" ".join(how.split()) for how in _HOW.values())
    found = parser.read(words)
    if found.line is not None:
        print("\n".join(answers(found.line)))
        sys.stdout.flush()
        os._exit(0)  # whatever a thread still waits for
    if found.shell is None:
        parser.error("say for which shell: bash, zsh or fish")
    print(SCRIPTS[found.shell], end="")
    return 0


def answers(line: str) -> list[str]:
    """How the last word of a line that begins with ``kfnb`` may go on."""
    try:
        words, begun = split_unfinished(line)
    except ValueError:  # in a quotation
        return []
    before = words[1:]
    if not before:
        return [word for word in (*VERBS, "--help", "--version") if word.startswith(begun)]
    if before[0] not in VERBS:
        return []
    parser, rest = _parser(before)
    return complete(parser, rest, begun, Around()) if parser else []


def _parser(words: list[str]) -> tuple[Parser | None, list[str]]:
    """What reads the words of a verb, or of a verb of a verb; and the words that it reads."""
    verb, *rest = words
    parser = _asked(verb, [])
    if parser is not None and rest and rest[0] in parser.verbs:
        return _asked(verb, rest[:1]), rest[1:]
    return parser, rest


def _asked(verb: str, words: list[str]) -> Parser | None:
    """What reads the words after these: it tells, as it would tell how they go on."""
    try:
        verb_of(verb)([*words, "--help"])
    except Help as told:
        return told.parser if isinstance(told.parser, Parser) else None
    return None
