"""What an image is to hold, checked before anything is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from kfnb.errors import UsageError

BASE = "kubeflownotebookswg/jupyter-scipy:v1.9.2"
"""One of Kubeflow's own images, from the registry that an image without a host is pulled from."""
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
"""The versions of Python that kfnb runs on."""

_IMAGE = re.compile(
    r"[a-z0-9][a-z0-9._-]*(:\d+(?=/))?(/[a-z0-9][a-z0-9._-]*)*(?P<tag>:[\w][\w.-]*)?(?P<digest>@sha256:[0-9a-f]{64})?"
)
_ELSEWHERE = re.compile(r"-r|--requirement|-c|--constraint|-e|--editable|\.{0,2}/|(.*@\s*)?file:")
_PINNED = ("kfp", "kfp-kubernetes")
"""What KFP's steps install at their start, unless it is there in that version."""


@dataclass(frozen=True)
class Recipe:
    """An image: on ``base``, one of Kubeflow's own, or on Python's slim image of version ``python``.

    ``name`` is what it will be called, ``kfnb`` a requirement, or the ``wheel`` in its place. ``packages`` and the text
    of a file ``requirements`` are as pip has them. Raises ``UsageError``.
    """

    name: str = ""
    base: str = ""
    python: str = "3.12"
    kfnb: str = ""
    wheel: Path | None = None
    packages: tuple[str, ...] = ()
    requirements: str = ""
    pins: tuple[str, ...] = field(default_factory=lambda: pinned(_PINNED))

    def __post_init__(self) -> None:
        """Check it."""
        if self.name:
            _check_image("--name", self.name)
        if self.base:
            _check_image("--base", self.base)
        if self.python not in PYTHONS:
            raise UsageError(f"--python {self.python}: kfnb runs on {', '.join(PYTHONS)}")
        if self.wheel is not None and not (self.wheel.is_file() and self.wheel.name.startswith("kfnb-")):
            raise UsageError(f"--kfnb {self.wheel}: there is no such wheel of kfnb")
        for package in self.packages:
            _check_package(package)
        for number, line in enumerate(self.requirements.splitlines(), start=1):
            if _ELSEWHERE.match(line.strip()):
                raise UsageError(
                    f"--requirements, line {number}: {line.strip()} is of another file, which is not there "
                    "where the image is built"
                )

    @property
    def lines(self) -> Sequence[str]:
        """What pip is to install, but for the file of requirements; kfnb comes with all of its extras."""
        requirement = self.kfnb or next(iter(pinned(("kfnb",))), "kfnb")
        kfnb = f"./{self.wheel.name}[all]" if self.wheel else requirement.replace("kfnb", "kfnb[all]", 1)
        return [kfnb, *self.pins, *self.packages]


def reading(kfnb: str, requirements: str) -> tuple[str, Path | None, str]:
    """What ``--kfnb`` and ``--requirements`` mean: a requirement, or a wheel; and a file's text."""
    try:
        text = Path(requirements).read_text(encoding="utf-8") if requirements else ""
    except (OSError, ValueError) as error:
        raise UsageError(f"--requirements {requirements}: {error}") from None
    if kfnb.endswith(".whl"):
        return "", Path(kfnb), text
    if kfnb and not re.fullmatch(r"\d[\w.+!-]*", kfnb):
        raise UsageError(f"--kfnb {kfnb}: give a version, such as 0.1.0, or the path of a wheel")
    return (f"kfnb=={kfnb}" if kfnb else ""), None, text


def pinned(names: Sequence[str]) -> tuple[str, ...]:
    """Packages in the versions that they have here."""
    found = []
    for name in names:
        try:
            found.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            continue
    return tuple(found)


def _check_image(option: str, name: str) -> None:
    found = _IMAGE.fullmatch(name)
    if found is None:
        raise UsageError(f"{option} {name}: write it as it is pulled: registry/name:tag, in small letters")
    if not found["tag"] and not found["digest"]:
        raise UsageError(f"{option} {name}: say which version, {name}:TAG; what is latest changes")


def _check_package(text: str) -> None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text)
    except InvalidRequirement as error:
        raise UsageError(f"--package {text}: {str(error).splitlines()[0]}") from None
