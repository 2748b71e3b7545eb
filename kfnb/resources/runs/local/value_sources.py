"""Where a value of the spec comes from: a constant, an input of the enclosing group, or a sibling's output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from kfnb.text.parameter_values import plain

_SELECTOR = re.compile(r"""parseJson\(string_value\)((?:\[(?:"[^"]*"|'[^']*'|\d+)\])+)""")
_KEY = re.compile(r"""\[(?:"([^"]*)"|'([^']*)'|(\d+))\]""")


@dataclass(frozen=True)
class Constant:
    """The value is a constant in the spec; it may hold placeholders."""

    value: Any


@dataclass(frozen=True)
class FromInput:
    """The value is an input of the enclosing component; ``path`` picks an element of it."""

    name: str
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class FromTask:
    """The value is an output of a sibling task; ``path`` picks an element of it."""

    task: str
    output: str
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class FromStatus:
    """The value is how a sibling task ended (``dsl.PipelineTaskFinalStatus``)."""

    task: str


Source: TypeAlias = Constant | FromInput | FromTask | FromStatus


def read_source(item: Mapping[str, Any], step: str, problems: list[str]) -> Source:
    """The source that ``item`` describes, for ``step``; unknown kinds are added to ``problems``."""
    path = _path(item.get("parameterExpressionSelector", ""), step, problems)
    if "runtimeValue" in item and "constant" in item["runtimeValue"]:
        return Constant(plain(item["runtimeValue"]["constant"]))
    if "componentInputParameter" in item or "componentInputArtifact" in item:
        return FromInput(item.get("componentInputParameter") or item["componentInputArtifact"], path)
    if "taskOutputParameter" in item:
        output = item["taskOutputParameter"]
        return FromTask(output["producerTask"], output["outputParameterKey"], path)
    if "taskOutputArtifact" in item:
        output = item["taskOutputArtifact"]
        return FromTask(output["producerTask"], output["outputArtifactKey"], path)
    if "taskFinalStatus" in item:
        return FromStatus(item["taskFinalStatus"]["producerTask"])
    problems.append(f"{step} has an input of a kind that this version does not support ({', '.join(item)})")
    return Constant(None)


def _path(selector: str, step: str, problems: list[str]) -> tuple[str | int, ...]:
    if not selector:
        return ()
    found = _SELECTOR.fullmatch(selector)
    if found is None:
        problems.append(f"{step} selects by {selector}, which this version does not support")
        return ()
    return tuple(int(c) if c else a or b for a, b, c in _KEY.findall(found[1]))
