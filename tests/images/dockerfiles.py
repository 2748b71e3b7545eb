"""Reads Dockerfiles: instructions in order, with lines that go on joined and comments left out."""

import re
from dataclasses import dataclass

KNOWN = {"FROM", "ARG", "ENV", "RUN", "COPY", "USER", "WORKDIR", "EXPOSE", "ENTRYPOINT", "SHELL"}


@dataclass(frozen=True)
class Instruction:
    word: str
    rest: str


def instructions(text):
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines()]
    assert {one.word for one in found} <= KNOWN
    return found


def environment(text):
    """The variables of ENV, without what they are made of."""
    words = " ".join(one.rest for one in instructions(text) if one.word == "ENV")
    return dict(re.findall(r"(\w+)=(\S+)", words))
