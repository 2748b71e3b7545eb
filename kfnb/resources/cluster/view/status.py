"""``draw_status``: where one is, what is broken, and what there is."""

from __future__ import annotations

from collections.abc import Sequence

from kfnb.resources.cluster.model import Knowledge, Problem, Status, StatusItem
from kfnb.resources.cluster.view import tables
from kfnb.resources.cluster.view.kubeflow import kubeflow
from kfnb.resources.cluster.view.tables import BAD, DARK, GOOD
from kfnb.resources.monitors.view.outlines import outlines
from kfnb.ui.blocks import Alert, Block, CodeBlock, Folded, Items, Row, Section, Text, Title, bundle
from kfnb.ui.states import StateStyle
from kfnb.ui.words import file_size, moment

_SHOWN = 4
"""How many troubles are shown in full; the others are behind a line."""
_QUESTIONS = {
    "user": "Who you are",
    "namespace": "The namespace",
    "version": "Kubernetes' version",
    "kubeflow": "Kubeflow's parts",
    "quota": "Quota",
    "gpus": "GPUs",
    "nodes": "Nodes",
    "volumes": "Volumes",
    "pod_defaults": "PodDefaults",
    "notebooks": "Notebooks",
    "workspaces": "Workspaces",
    "waiting": "Pods that wait",
    "runs": "Runs",
    "studies": "Studies",
    "services": "Services",
    "training": "Training jobs",
    "monitors": "Monitors",
}
_WORDS = {Knowledge.HIDDEN: "hidden", Knowledge.ABSENT: "not there", Knowledge.UNKNOWN: "not known"}


def draw_status(status: Status) -> dict[str, str]:
    """A status as a mimebundle."""
    if not status.server:
        return bundle("Status", [_title_here(status), *_troubles(status), *_here(status)])
    return bundle("Status", [_title(status), *_troubles(status), *_there(status)])


def _title(status: Status) -> Title:
    user, namespace, version = status.user.value, status.namespace.value, status.version.value
    release = f" {version.release}" if version and version.release else ""
    whose = f" of {namespace.owner}" if namespace and namespace.owner else ""
    name = user.account and f"service account {user.account}" if user else ""
    return Title(
        f"Kubeflow{release}",
        _state_style(status),
        f"namespace {status.within}{whose}",
        (
            f"you are {name or (user.name if user else 'not known')}",
            f"Kubernetes {version.version}" if version else "",
            version.verdict if version else "",
            f"at {status.server}",
            f"context {status.context}" if status.context else "",
            f"runs go to {status.backend}",
            f"as of {moment(status.as_of)}",
        ),
    )


def _title_here(status: Status) -> Title:
    here = status.here
    return Title(
        "This machine",
        _state_style(status),
        "no cluster",
        (
            f"runs go to {status.backend}",
            f"{here.cores} cores",
            f"{file_size(here.memory_free)} of {file_size(here.memory)} memory free" if here.memory else "",
            f"{file_size(here.disk_free)} of disk free",
            f"runs are kept in {here.home}",
            f"Python {here.python}",
        ),
    )


def _state_style(status: Status) -> StateStyle:
    count = len(status.troubles)
    if not status.user.known and status.server:
        return StateStyle(DARK.icon, "Nothing can be seen", BAD.colour, "")
    hidden = [part for part in vars(status).values() if isinstance(part, StatusItem) and not part.known]
    if not count and status.server and len(hidden) > len(_QUESTIONS) // 2:
        return StateStyle(DARK.icon, "Most is hidden from you", DARK.colour, "")
    if not count:
        return StateStyle(GOOD.icon, "Nothing found broken", GOOD.colour, "")
    return StateStyle(BAD.icon, f"{count} problem{'s' if count > 1 else ''}", BAD.colour, "")


def _troubles(status: Status) -> list[Block]:
    first, others = status.troubles[:_SHOWN], status.troubles[_SHOWN:]
    heading = f"{len(others)} more problem{'s' if others[1:] else ''}"
    more = [Folded(heading, [_trouble(one) for one in others])] if others else []
    return [*map(_trouble, first), *more]


def _trouble(one: Problem) -> Alert:
    why: Sequence[Block] = [Text(one.why)] if one.why else []
    if one.kind == "yaml":
        fix: Sequence[Block] = [Folded("YAML that fixes it", [CodeBlock(one.fix)])]
    else:
        fix = [CodeBlock(one.fix, value=True)] if one.fix else []
    return Alert(BAD, one.what, [*why, *fix])


def _there(status: Status) -> list[Block]:
    found = [
        *tables.quota(status),
        *tables.gpus(status),
        *tables.nodes(status),
        *tables.notebooks(status),
        *tables.runs(status),
        *tables.waiting(status),
        *tables.work("Studies", status.studies.value or (), status.studies.more),
        *tables.work("Services", status.services.value or (), status.services.more),
        *outlines(status.monitors.value or ()),
        *tables.work("Training jobs", status.training.value or (), status.training.more),
        *tables.volumes(status),
        *tables.pod_defaults(status),
        *kubeflow(status),
        *_unseen(status),
    ]
    return [Row(found)] if found else []


def _here(status: Status) -> list[Block]:
    if status.contexts:
        contexts = ", ".join(status.contexts)
        hint = f"Your kubeconfig has {contexts}: %kf_config context={status.contexts[0]} looks there."
    else:
        hint = "To look at a cluster: %kf_config context=NAME for a context of your kubeconfig."
    runs = tables.runs(status) or [Text("No runs yet.")]
    unknown = [] if status.runs.known else [Text(f"Runs: {status.runs.reason}")]
    monitors = [] if status.monitors.known else [Text(f"Monitors: {status.monitors.reason}")]
    return [*(unknown or runs), *outlines(status.monitors.value or ()), *monitors, Text(hint)]


def _unseen(status: Status) -> list[Block]:
    """What could not be seen, and why; hidden is not absent."""
    parts = {name: getattr(status, name) for name in _QUESTIONS}
    unseen = tuple(
        f"{_QUESTIONS[name]}: {_WORDS[part.knowledge]}; {part.reason}"
        for name, part in parts.items()
        if isinstance(part, StatusItem) and not part.known
    )
    return [Section("Hidden from you, not there, or not known", [Items(unseen)])] if unseen else []
