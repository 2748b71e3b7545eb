"""The program of a deployment folder, in its own process: to serve it, and to check it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from kfnb.jobs import private
from kfnb.resources.runs.local.environment import Requirements, build, is_built, missing, python_of
from kfnb.resources.runs.local.step_errors import StepFault
from kfnb.resources.services.local.folder import ServiceFolder
from kfnb.resources.services.model import Target
from kfnb.server.deployment import pinned
from kfnb.settings import SECRET

PROGRAM = "serve.py"
_WITH_VALUE = ("--index-url", "--extra-index-url", "--find-links", "--trusted-host")
_ALONE = ("PYTHONPATH", "PYTHONHOME")


def requirements(folder: Path, index_urls: Sequence[str]) -> Requirements:
    """The packages that a deployment folder needs."""
    file = folder / "requirements.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    packages = [
        line.partition(" #")[0].strip() for line in lines if line.strip() and line.lstrip()[0] not in "#-"
    ]
    options = [
        word for name, url in zip(_index_options(index_urls), index_urls, strict=True) for word in (name, url)
    ]
    return Requirements(tuple(packages), tuple(options), executor=False)


def _index_options(index_urls: Sequence[str]) -> list[str]:
    return ["--index-url", *["--extra-index-url"] * (len(index_urls) - 1)][: len(index_urls)]


def python_for(needed: Requirements, envs: Path) -> Path:
    """The Python that has the packages: this one, else that of an environment (see ``needs_environment``)."""
    if not missing(needed):
        return Path(sys.executable)
    return next(
        (python_of(one, envs) for one in _built_as(needed) if is_built(one, envs)), python_of(needed, envs)
    )


def _built_as(needed: Requirements) -> tuple[Requirements, ...]:
    """An environment also has what keeps requests, where that can be installed."""
    return replace(needed, packages=(*needed.packages, pinned("pyarrow"))), needed


def needs_environment(needed: Requirements, envs: Path) -> bool:
    """Whether an environment has to be built first."""
    return bool(missing(needed)) and not any(is_built(one, envs) for one in _built_as(needed))


def building(needed: Requirements, envs: Path, failure: Path) -> Callable[[], int]:
    """What builds the environment in a process; why it cannot be built is then in the file ``failure``."""
    return partial(_build, needed, envs, failure)


def serving(python: Path, folder: ServiceFolder, target: Target, socket: str) -> Callable[[], int]:
    """What serves a version at a Unix socket in a process, until that is ended."""
    words = ["--socket", socket, "--name", folder.name, "--version", str(target.version)]
    words += ["--on-bad-input", target.on_bad_input, *_allowed(target)]
    if target.log.keep and keeps_requests(folder.version(target.digest)):
        words += ["--log", str(folder.requests), "--revision", str(target.revision), *target.log.options]
    return _program(python, folder.version(target.digest), words)


def keeps_requests(deployment: Path) -> bool:
    """Whether the program of a folder can keep requests: that of an earlier kfnb cannot."""
    return (deployment / "kfnb_server" / "request_log.py").exists()


def log_error(python: Path, folder: ServiceFolder, target: Target) -> str:
    """Why the requests to a version are not kept; empty if they are, or if the user chose so."""
    if not target.log.keep:
        return ""
    if not keeps_requests(folder.version(target.digest)):
        return "it was deployed by an earlier kfnb; delete the service and serve it again"
    if str(python) == sys.executable:
        fix = "pip install 'kfnb[serve]', and stop and start the service"
        return "" if find_spec("pyarrow") else f"pyarrow is not installed; {fix}"
    found = subprocess.run([str(python), "-c", "import pyarrow"], capture_output=True, check=False)
    return f"pyarrow cannot be installed in the environment of {target.ref}" if found.returncode else ""


def checking(python: Path, folder: ServiceFolder, target: Target, report: Path) -> Callable[[], int]:
    """What checks a version in a process, which writes its report to a file. It exits with 1 if the check fails."""
    return _program(python, folder.version(target.digest), ["check", *_allowed(target)], report)


def _allowed(target: Target) -> list[str]:
    """What its user allows of a version, as options."""
    trusted = [word for one in target.trust for word in ("--trust", one)]
    return ["--pickle", *trusted] if target.pickle else trusted


def _program(
    python: Path, deployment: Path, words: Sequence[str], output: Path | None = None
) -> Callable[[], int]:
    program = str(deployment / PROGRAM)
    verb = [words[0]] if words[0][0] != "-" else []
    rest = words[len(verb) :]
    command = [str(python), program, *verb, "--folder", str(deployment), *rest]
    return partial(_execute, command, str(output) if output else "")


def _build(needed: Requirements, envs: Path, failure: Path) -> int:
    for name in _ALONE:
        os.environ.pop(name, None)
    why = ""
    for one in _built_as(needed):
        try:
            build(one, envs)
        except StepFault as fault:
            why = str(fault)
        else:
            return 0
    private.write(failure, why)
    return 1


def _execute(command: Sequence[str], output: str) -> int:
    """Become another program. Secrets of the kernel's environment are not for what answers requests."""
    hidden = {f"KFNB_{name.upper()}" for name in SECRET}
    hidden |= set(_ALONE) if command[0] != sys.executable else set()
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    if output:
        with open(output, "wb", opener=private.opener) as file:
            os.dup2(file.fileno(), 1)
    os.execve(command[0], list(command), {**environ, "PYTHONUNBUFFERED": "1"})  # noqa: S606 - no shell is needed
