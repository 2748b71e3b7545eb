"""The packages that a step installs: whether this environment has them, and else a virtual environment for the step.

A step's requirements are in the script that KFP's compiler writes before its program: lines of ``pip install``. Any
installed KFP 2 satisfies the line that installs KFP itself. Environments are kept under the home's ``envs``, by the
hash of their content, and each is built once, however many tasks need it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from kfnb.jobs import private
from kfnb.resources.runs.install_errors import pip_error, sentence, uv_error
from kfnb.resources.runs.installs import KFP, OF_OLD_PYTHON, WITH_VALUE, installs
from kfnb.resources.runs.local.step_errors import StepFault

if TYPE_CHECKING:
    from packaging.requirements import Requirement  # 80 ms, only needed by steps that install packages

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_DONE = ".kfnb-complete"
_LAST = 200
"""How many of an installer's last lines are searched for the reason of a failure."""


@dataclass(frozen=True)
class Requirements:
    """What a step installs: ``packages``, from where (``options`` as pip takes them), and the ``kfp`` it names.

    Its environment gets the installed KFP, not the one named: the installed executor runs the step. It gets no KFP
    without ``executor``. With ``exact``, ``packages`` are all that it gets. ``python`` is the path of its Python, if
    that is not the one that runs here.
    """

    packages: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    kfp: str = ""
    executor: bool = True
    exact: bool = False
    python: str = ""

    @property
    def key(self) -> str:
        """The name of the environment with exactly these packages, for this Python."""
        kfp = _installed_kfp() if self.executor else ""
        identity = json.dumps(
            [sys.version_info[:3], sys.executable, self.packages, self.options, kfp]
            + ([self.exact, self.python] if self.exact or self.python else [])
        )
        return hashlib.sha256(identity.encode()).hexdigest()[:16]

    @property
    def words(self) -> str:
        """The packages in a line."""
        if self.exact:
            return f"{len(self.packages)} recorded packages"
        return ", ".join(self.packages) or self.kfp

    @property
    def names(self) -> frozenset[str]:
        """The names of the packages, without versions."""
        return frozenset(found[0] for package in self.packages if (found := _NAME.match(package)))

    @property
    def other_kfp(self) -> str:
        """A note that the step requires another KFP than the installed one; empty if it does not."""
        installed = f"kfp=={_installed_kfp()}"
        if self.kfp in ("", "kfp", installed):
            return ""
        return f"{self.kfp} is not installed: {installed} is present, and runs steps of every KFP 2"

    def commands(self, python: Path) -> Iterator[list[str]]:
        """The commands that install everything into the environment of ``python``."""
        if _uv():
            installer, options = [*_uv(), "pip", "install", "--python", str(python)], [*self._uv_options()]
        else:
            installer, options = [str(python), "-m", "pip", "install"], [*self.options]
        if self.packages:
            yield [*installer, *options, *(["--no-deps"] if self.exact else []), *self.packages]
        if self.executor:
            yield [*installer, *options, "--no-deps", f"kfp=={_installed_kfp()}"]

    def _uv_options(self) -> Iterator[str]:
        """The same options for uv."""
        words = iter(self.options)
        for word in words:
            value = next(words)
            if word == "--trusted-host":
                yield from ("--allow-insecure-host", re.sub(r"^\w+://|/.*$", "", value))
            else:
                yield from (word, value)


@lru_cache(maxsize=256)
def parse(script: str) -> Requirements:
    """The requirements that a step's installation script names."""
    packages: list[str] = []
    options: list[str] = []
    kfp = ""
    for words in installs(script):
        for word in words:
            if word in WITH_VALUE:
                options += [word, next(words)]
            elif KFP.match(word):
                kfp = word
            elif not word.startswith("-") and _applies(word):
                packages.append(word)
    pairs = dict.fromkeys(zip(options[::2], options[1::2], strict=True))
    return Requirements(tuple(dict.fromkeys(packages)), tuple(word for pair in pairs for word in pair), kfp)


def pinned(requirements: Requirements, packages: tuple[str, ...], python: str) -> Requirements:
    """Requirements with exactly these packages, of this Python, in place of those that they name."""
    return replace(requirements, packages=packages, exact=True, python=python) if packages else requirements


@lru_cache(maxsize=256)
def missing(requirements: Requirements) -> list[str]:
    """The packages that this process's environment lacks, or has in a version that does not satisfy the requirement.

    Another Python lacks all of them.
    """
    if requirements.python:
        return list(requirements.packages)
    lacking = [package for package in requirements.packages if not _met(package)]
    return lacking if lacking or not requirements.kfp or _kfp_serves() else [requirements.kfp]


def python_of(requirements: Requirements, envs: Path) -> Path:
    """The Python of the environment for ``requirements``, once it is built."""
    return envs / requirements.key / "bin" / "python"


def is_built(requirements: Requirements, envs: Path) -> bool:
    """Whether the environment for ``requirements`` exists."""
    return (envs / requirements.key / _DONE).exists()


def build(requirements: Requirements, envs: Path) -> None:
    """Build the environment for ``requirements``, unless another process just did; output goes to stdout.

    Raises ``StepFault`` if the build fails.
    """
    with _locked(envs / f"{requirements.key}.lock"):
        if not is_built(requirements, envs):
            _build(requirements, envs / requirements.key, python_of(requirements, envs))


def _build(requirements: Requirements, folder: Path, python: Path) -> None:
    print(f"Building an environment for {requirements.words} (kept in {folder})", flush=True)  # noqa: T201 - the task's log
    shutil.rmtree(folder, ignore_errors=True)
    base = requirements.python or sys.executable
    if _uv():
        _call([*_uv(), "venv", "--quiet", "--python", base, str(folder)])
    else:
        _call([base, "-m", "venv", str(folder)])
    for command in requirements.commands(python):
        _call(command)
    (folder / _DONE).touch()


def _call(command: list[str]) -> None:
    # uv uses bundled certificates by default; pip uses the system's, as everything else here does
    environment = {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true", **os.environ}
    last: deque[str] = deque(maxlen=_LAST)
    pipe, both = subprocess.PIPE, subprocess.STDOUT
    with subprocess.Popen(
        command, env=environment, stdout=pipe, stderr=both, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)  # noqa: T201 - the task's log
            last.append(line.rstrip())
    if process.returncode:
        raise StepFault(_why(command, list(last)))


def _why(command: list[str], lines: list[str]) -> str:
    error = pip_error(lines) or uv_error(lines) or f"{shlex.join(command)} failed; see its log"
    return sentence(error, lines, "install it in the environment that kfnb runs in")


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    private.shut(file.parent)
    import fcntl

    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@lru_cache(maxsize=1)
def _uv() -> tuple[str, ...]:
    found = shutil.which("uv")
    if found:
        return (found,)
    return (sys.executable, "-m", "uv") if importlib.util.find_spec("uv") else ()


def _applies(package: str) -> bool:
    """Whether a requirement applies to this Python."""
    if package.endswith(OF_OLD_PYTHON):
        return False
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        marker = Requirement(package).marker
    except InvalidRequirement:
        return True
    return marker is None or marker.evaluate()


def _met(package: str) -> bool:
    from importlib import metadata

    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(package)
        installed = metadata.version(requirement.name)
    except (InvalidRequirement, metadata.PackageNotFoundError):
        return False
    if requirement.url or not requirement.specifier.contains(installed, prereleases=True):
        return False
    return all(_met(inner) for inner in _of_extras(requirement))


def _of_extras(requirement: Requirement) -> Iterator[str]:
    """The requirements of a requirement's extras."""
    from importlib import metadata

    from packaging.requirements import Requirement

    for text in (metadata.requires(requirement.name) or []) if requirement.extras else []:
        inner = Requirement(text)
        marker, inner.marker = inner.marker, None
        if marker is None or marker.evaluate({"extra": ""}):
            continue
        if any(marker.evaluate({"extra": extra}) for extra in requirement.extras):
            yield str(inner)


def _kfp_serves() -> bool:
    return _installed_kfp().split(".")[0] == "2"


def _installed_kfp() -> str:
    import kfp

    return str(kfp.__version__)
