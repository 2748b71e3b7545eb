"""The options of ``%%kf_component`` for a step's pod, in the forms of Kubernetes' own tools."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from kfnb.capture.pod import EnvVariable, Folder, Holder, KeyVariable, NodeLabel, PodSettings, Toleration
from kfnb.commands.command import option, repeated
from kfnb.commands.words import count, quantity, unique
from kfnb.errors import UsageError
from kfnb.text.timespec import span

_NAME = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
_LABEL = rf"(?:{_NAME}/)?[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_LABEL_VALUE = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)?"
_HELD = re.compile(rf"(?P<source>{_NAME}):(?P<key>[A-Za-z0-9._-]+)(?:=(?P<variable>{_VARIABLE}))?")
_FOLDER = re.compile(rf"(?P<source>{_NAME}):(?P<path>/[^:]*)")
_NODE_LABEL = re.compile(rf"(?P<key>{_LABEL})=(?P<value>{_LABEL_VALUE})")
_TOLERATION = re.compile(
    rf"(?P<key>{_LABEL})(?:=(?P<value>{_LABEL_VALUE}))?(?::(?P<effect>NoSchedule|PreferNoSchedule|NoExecute))?"
)


_HELD_FORM = "NAME:KEY=VARIABLE|NAME:/PATH"


@dataclass(frozen=True, kw_only=True)
class PodOptions:
    """The options for a step's pod, spelled as in Kubernetes."""

    cpu: str = option(default="", help="CPU cores, as Kubernetes writes them: 2 or 500m")
    memory: str = option(default="", help="memory, as Kubernetes writes it: 4G")
    gpu: int = option(type=int, default=0, help="number of GPUs")
    accelerator: str = option(
        default="", metavar="TYPE", help="resource that --gpu counts (default nvidia.com/gpu)"
    )
    timeout: str = option(default="", metavar="DURATION", help="maximum duration of the step: 90s, 30m, 1h")
    env: tuple[str, ...] = repeated(
        metavar="NAME=VALUE", help="an environment variable; not for secrets, as everyone can read it"
    )
    secret: tuple[str, ...] = repeated(
        metavar=_HELD_FORM, help="a secret's key as an environment variable, or its keys as files"
    )
    config_map: tuple[str, ...] = repeated(
        metavar=_HELD_FORM, help="a config map's key as an environment variable, or its keys as files"
    )
    pvc: tuple[str, ...] = repeated(metavar="NAME:/PATH", help="a persistent volume claim, mounted at a path")
    node_selector: tuple[str, ...] = repeated(metavar="KEY=VALUE", help="a label that the node must have")
    toleration: tuple[str, ...] = repeated(
        metavar="KEY[=VALUE][:EFFECT]", help="a taint that the step's pod tolerates"
    )
    image_pull_secret: tuple[str, ...] = repeated(metavar="NAME", help="a secret for pulling the image")


def read_pod(found: PodOptions) -> PodSettings:
    """Parse the options. Raises ``UsageError``."""
    gpu = count(found.gpu, "--gpu")
    if found.accelerator and not gpu:
        raise UsageError(f"--accelerator {found.accelerator}: give the number too, --gpu 1")
    held: list[KeyVariable | Folder] = [_held(text, "secret") for text in found.secret]
    held += [_held(text, "config_map") for text in found.config_map]
    held += [_folder(text, "pvc", "--pvc", "NAME:/PATH") for text in found.pvc]
    env = tuple(_variable(text) for text in found.env)
    keys = tuple(one for one in held if isinstance(one, KeyVariable))
    folders = tuple(one for one in held if isinstance(one, Folder))
    unique([*(one.name for one in env), *(one.name for one in keys)], "the environment variable")
    unique([folder.path for folder in folders], "the path")
    labels = tuple(_node_label(text) for text in found.node_selector)
    unique([label.key for label in labels], "--node-selector")
    unique(found.image_pull_secret, "--image-pull-secret")
    return PodSettings(
        cpu=quantity(found.cpu, "--cpu", "m", "2 or 500m"),
        memory=quantity(found.memory, "--memory", "[EPTGMK]i?", "4G or 512Mi"),
        gpu=gpu,
        accelerator=found.accelerator or PodSettings.accelerator,
        env=env,
        keys=keys,
        folders=folders,
        node_labels=labels,
        tolerations=tuple(_toleration(text) for text in found.toleration),
        pull_secrets=tuple(_name(text, "--image-pull-secret") for text in found.image_pull_secret),
        timeout=_timeout(found.timeout),
    )


def _variable(text: str) -> EnvVariable:
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(_VARIABLE, name):
        raise UsageError(f"--env {text}: write NAME=VALUE, the name in letters, digits and _")
    return EnvVariable(name, value)


def _held(text: str, holder: Holder) -> KeyVariable | Folder:
    option = f"--{holder.replace('_', '-')}"
    if ":/" in text:
        return _folder(text, holder, option, "NAME:KEY=VARIABLE or NAME:/PATH")
    found = _HELD.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{option} {text}: write NAME:KEY=VARIABLE for an environment variable, NAME:/PATH for a folder"
        )
    variable = found["variable"] or found["key"]
    if not re.fullmatch(_VARIABLE, variable):
        raise UsageError(f"{option} {text}: name the environment variable, {text}=NAME")
    return KeyVariable(holder, found["source"], found["key"], variable)


def _folder(text: str, holder: Literal["secret", "config_map", "pvc"], option: str, form: str) -> Folder:
    found = _FOLDER.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{option} {text}: write {form}, the name as Kubernetes has it (small letters, digits, - and .)"
        )
    path = found["path"].rstrip("/")
    if not path or ".." in path.split("/"):
        raise UsageError(
            f"{option} {text}: {found['path']} is not a valid mount path: write a path such as /data"
        )
    return Folder(holder, found["source"], path)


def _node_label(text: str) -> NodeLabel:
    found = _NODE_LABEL.fullmatch(text)
    if found is None:
        raise UsageError(f"--node-selector {text}: write KEY=VALUE, a label of nodes and its value")
    return NodeLabel(found["key"], found["value"])


def _toleration(text: str) -> Toleration:
    found = _TOLERATION.fullmatch(text)
    if found is None:
        raise UsageError(
            f"--toleration {text}: write KEY=VALUE:EFFECT, or KEY:EFFECT for any value; the effect is NoSchedule,"
            " PreferNoSchedule or NoExecute"
        )
    return Toleration(found["key"], found["value"], found["effect"] or "")


def _name(text: str, option: str) -> str:
    if not re.fullmatch(_NAME, text):
        raise UsageError(
            f"{option} {text}: write a name as Kubernetes has it (small letters, digits, - and .)"
        )
    return text


def _timeout(text: str) -> int:
    try:
        return span(text) if text else 0
    except UsageError as error:
        raise UsageError(f"--timeout {error}") from None
