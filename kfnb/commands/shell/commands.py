"""``kfnb completion``: what a shell runs to complete the words of the command, and the answers that it gets."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from kfnb.cli import command_of, summaries
from kfnb.commands.command import Command, option, word
from kfnb.commands.completion import Around, complete
from kfnb.commands.parser import Parser, split_unfinished
from kfnb.commands.session import Session
from kfnb.errors import UsageError

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


@dataclass(frozen=True, kw_only=True)
class PrintCompletion(Command):
    """Print the completion script of kfnb for your shell: source <(kfnb completion bash) in ~/.bashrc; source <(kfnb
    completion zsh) in ~/.zshrc, after compinit; kfnb completion fish | source in ~/.config/fish/config.fish.
    """

    shell: str | None = word("your shell", default=None, choices=tuple(SCRIPTS))
    line: str | None = option(metavar="LINE", help="print the completions of the last word of this line")

    def check(self, parser: Parser) -> None:
        """Require a shell."""
        if self.line is None and self.shell is None:
            parser.error("a shell is required: bash, zsh or fish")

    def run(self, session: Session) -> None:
        """Print the script, or the answers."""
        if self.line is not None:
            session.out("\n".join(answers(self.line)))
            sys.stdout.flush()
            os._exit(0)  # whatever a thread still waits for
        session.out(SCRIPTS[self.shell or ""].removesuffix("\n"))


def answers(line: str) -> list[str]:
    """The completions of the last word of a line that begins with ``kfnb``."""
    try:
        words, begun = split_unfinished(line)
    except ValueError:  # in a quotation
        return []
    before = words[1:]
    if not before:
        return [verb for verb in (*summaries(), "--help", "--version") if verb.startswith(begun)]
    try:
        _, parser, rest = command_of(before)
    except UsageError:
        return []
    return complete(parser, rest, begun, Around())
