"""The words of notebooks on the cluster."""

from __future__ import annotations

from argparse import Namespace

from kfnb.commands.parser import Parser
from kfnb.commands.words import bind, repeated
from kfnb.errors import UsageError, did_you_mean
from kfnb.model.notebook import Mount
from kfnb.resources.notebooks.spec import Asked
from kfnb.text.timespec import span

NOTEBOOK_VERBS = ("list", "start", "stop", "create", "delete")
_WHICH = {"kind"}
_WORDS = {
    "list": set[str](),
    "start": _WHICH | {"wait", "timeout"},
    "stop": _WHICH | {"yes"},
    "delete": _WHICH | {"yes", "with_volume"},
}
"""The words that each verb has; those of ``create`` are all others."""

_OF_ASKED = (
    "image",
    "cpu",
    "memory",
    "gpu",
    "accelerator",
    "size",
    "service_account",
    "workspace_kind",
    "image_config",
    "pod_config",
)


def notebook() -> Parser:
    """``%kf_notebook`` and ``kfnb notebook``."""
    parser = Parser(
        "%kf_notebook",
        "The notebooks of your namespace, Notebooks (v1) and Workspaces (v2): list, start, stop, create, delete.",
    )
    add = parser.add_argument
    add(
        "verb",
        nargs="?",
        default="list",
        metavar="VERB",
        values=NOTEBOOK_VERBS,
        help="list (if not said), start, stop, create, delete",
    )
    add("name", nargs="?", metavar="NAME", values="notebook", help="the notebook's name")
    add("--kind", choices=("v1", "v2"), help="Notebook (v1) or Workspace (v2), where that is not clear")
    add("--wait", action="store_true", help="start, create: wait until it runs; interrupt to wait no longer")
    add("--timeout", metavar="SPAN", help="for how long it is waited: 90s, 10m (10m)")
    add("--image", help="create: its image")
    add("--cpu", help="create: cores, as Kubernetes writes them: 2 or 500m (0.5)")
    add("--memory", help="create: memory, as Kubernetes writes it: 4Gi (1Gi)")
    add("--gpu", type=int, help="create: number of GPUs")
    add("--accelerator", metavar="TYPE", help="create: what --gpu counts (nvidia.com/gpu)")
    add("--size", metavar="10Gi", help="create: make a new volume of that size for its home")
    repeated(parser, "--volume", "NAME:/PATH", "create: a volume claim that is there, and where")
    repeated(
        parser, "--configuration", "NAME", "create: a PodDefault that it gets, such as access-ml-pipeline"
    )
    add("--service-account", metavar="NAME", help="create: as whom it asks Kubernetes (default-editor)")
    add("--workspace-kind", metavar="NAME", help="create: the kind of a workspace")
    add("--image-config", metavar="ID", help="create: which of the images that the workspace's kind offers")
    add("--pod-config", metavar="ID", help="create: which of the sizes that the workspace's kind offers")
    add(
        "--dry-run",
        action="store_true",
        help="create: show the YAML and what the server says; create nothing",
    )
    add(
        "--with-volume", action="store_true", help="delete: also the volume of its home and all that is in it"
    )
    add("--yes", action="store_true", help="stop, delete: do not ask")
    bind(parser)
    return parser


def check_notebook(parser: Parser, found: Namespace) -> None:
    """Raise ``UsageError`` for a verb that there is not, a missing name, and words that mean nothing together."""
    if found.verb not in NOTEBOOK_VERBS:
        hint = did_you_mean(found.verb, NOTEBOOK_VERBS)
        parser.error(f"unknown verb {found.verb}{hint}; the verbs are {', '.join(NOTEBOOK_VERBS)}")
    if found.verb == "list" and found.name:
        parser.error(f"list takes no name: leave out {found.name}")
    if found.verb != "list" and not found.name:
        parser.error(f"say which notebook: {found.verb} NAME")
    given = {word for word, value in vars(found).items() if value not in (None, False, [])}
    others = given - {"verb", "name", "bind"}
    others -= _WORDS.get(found.verb, set(vars(found)) - {"yes", "with_volume"})
    if others:
        parser.error(f"{found.verb} has no --{min(others).replace('_', '-')}")
    if found.timeout and not found.wait:
        parser.error("--timeout says for how long --wait waits: give both")
    if found.dry_run and found.wait:
        parser.error("--dry-run creates nothing that --wait could wait for")


def asked_notebook(found: Namespace) -> Asked:
    """The new notebook that the words ask for. Raises ``UsageError``."""
    if found.accelerator and not found.gpu:
        raise UsageError(f"--accelerator {found.accelerator}: say how many, --gpu 1")
    given = {name: getattr(found, name) for name in _OF_ASKED if getattr(found, name) is not None}
    return Asked(found.name, mounts=tuple(map(_mount, found.volume)), **given)


def waiting_time(found: Namespace, usual: float) -> float:
    """The seconds that ``--timeout`` says, or the usual. Raises ``UsageError``."""
    try:
        return float(span(found.timeout)) if found.timeout else usual
    except UsageError as error:
        raise UsageError(f"--timeout {error}") from None


def _mount(text: str) -> Mount:
    claim, colon, path = text.partition(":")
    if not (claim and colon and path.startswith("/")):
        raise UsageError(f"--volume {text}: write NAME:/PATH, the name of a volume claim and where it goes")
    return Mount(claim, path.rstrip("/") or "/")
