"""One folder of the manifests is built and applied, as often as it takes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from kfnb.resources.localcluster.plan import Apply
from kfnb.resources.localcluster.shell_command import Runner

_PAUSES = (2.0, 4.0, 8.0)
_LONGEST = 10.0
_BUILDS = 3
"""How often a build that fails is tried: it may fetch what it builds."""
_WRONG = re.compile(
    r"^(The \S+ \S+ is invalid:|.*field is immutable|.*strict decoding error|.*\(Forbidden\)|.*\(Unauthorized\)"
    r"|error: (unknown|error parsing|context|no context))"
)
"""Errors that no waiting fixes, if they are repeated thrice. Others are a definition, a webhook or a namespace that
does not exist yet, or a server that is away for a moment."""
_WRONG_TIMES = 3
_PROBLEM = re.compile(
    r'no matches for kind "(?P<kind>[^"]+)"|failed calling webhook "(?P<webhook>[^"]+)"'
    r'|namespaces "(?P<namespace>[^"]+)" not found|(?P<away>refused|unable to connect|timeout|deadline)',
    re.IGNORECASE,
)


def build(step: Apply, runner: Runner) -> bytes:
    """What kustomize makes of a folder. Raises ``BackendError``."""
    for number in range(_BUILDS):
        done = runner.run(step.build)
        if not done.code:
            return done.out
        if number + 1 < _BUILDS and "://" in step.build.words[-1]:
            time.sleep(pause(number))
            continue
        break
    raise runner.failed(f"kustomize cannot build {step.build.words[-1]}", done)


def apply(step: Apply, built: bytes, runner: Runner, until: float, report: Callable[[str], None]) -> None:
    """Apply what was built until the cluster has taken all of it. Raises ``BackendError`` where that makes no sense.

    ``until`` is a moment of ``time.monotonic``; ``report`` is called with the reason for each retry.
    """
    number = wrong = 0
    while True:
        done = runner.run(step.apply, built)
        if not done.code:
            return
        wrong = wrong + 1 if any(_WRONG.match(line) for line in done.lines) else 0
        if wrong == _WRONG_TIMES:
            raise runner.failed(f"{step.title} cannot be applied", done)
        if time.monotonic() + pause(number) > until:
            raise runner.failed(f"{step.title} was not applied in time", done)
        report(why(done.messages))
        time.sleep(pause(number))
        number += 1


def pause(number: int) -> float:
    """Seconds before the next try."""
    return _PAUSES[number] if number < len(_PAUSES) else _LONGEST


def why(messages: str) -> str:
    """Why an apply is retried, in a few words."""
    found = _PROBLEM.search(messages)
    if found is None:
        last = [line for line in messages.splitlines() if line.strip()]
        return f"retrying: {last[-1].strip()[:200]}" if last else "retrying"
    if found["kind"]:
        return f"retrying: the kind {found['kind']} is not established yet"
    if found["webhook"]:
        return f"retrying: the webhook {found['webhook']} does not answer yet"
    if found["namespace"]:
        return f"retrying: the namespace {found['namespace']} does not exist yet"
    return "retrying: the cluster does not answer at the moment"
