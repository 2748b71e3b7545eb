"""Requests for parts of the status: the first page of a list, and errors as a state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from kfnb.errors import Absent, BackendError, Hidden
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item
from kfnb.resources.cluster.model import Knowledge, StatusItem

T = TypeVar("T")
More: TypeAlias = "int | None"
"""The number of items that were not read; None if the server did not count them."""

MOST = 500
"""The number of items read from a list."""


@dataclass(frozen=True)
class ProbeTarget:
    """What is asked, and in which namespace.

    ``pod`` is the name of the pod that this is, empty outside of one; ``installed`` Kubeflow's own namespace;
    ``token`` says that there is a token for Kubeflow Pipelines here.
    """

    kubernetes: Kubernetes
    namespace: str
    pod: str = ""
    installed: str = "kubeflow"
    token: bool = False

    def within(self, api: str, resource: str) -> str:
        """The path of a kind of resource in the namespace: ``within("apis/kubeflow.org/v1", "notebooks")``."""
        return f"/{api}/namespaces/{self.namespace}/{resource}"


def first(
    kubernetes: Kubernetes, path: str, query: Mapping[str, Any] | None = None
) -> tuple[Sequence[Item], More]:
    """The first things of a list, and how many more there are."""
    page = kubernetes.get(path, {"limit": MOST, **(query or {})})
    about = page.get("metadata") or {}
    return page.get("items") or (), about.get("remainingItemCount") if about.get("continue") else 0


def part(query: Callable[[], tuple[T, More]]) -> StatusItem[T]:
    """The result of a query, or the reason it failed."""
    try:
        value, more = query()
    except Hidden as error:
        return StatusItem(Knowledge.HIDDEN, reason=str(error))
    except Absent as error:
        return StatusItem(Knowledge.ABSENT, reason=str(error))
    except BackendError as error:
        return StatusItem(Knowledge.UNKNOWN, reason=str(error))
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        # Katib's CRDs, for one, validate nothing: an object may hold anything in the place of anything
        return StatusItem(
            reason=f"there is an object that kfnb cannot read ({type(error).__name__}: {error})"
        )
    return StatusItem(Knowledge.KNOWN, value, more=more)
