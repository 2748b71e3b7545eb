"""What an engine of services is: the protocol of the engine on this machine, and of a cluster's."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from kfnb.entities import LogLine
from kfnb.jobs.polling import Pace
from kfnb.resources.services.model import DesiredState, ServiceSnapshot
from kfnb.resources.services.protocols import V1, InferenceProtocol
from kfnb.resources.services.receipt import FeedbackReceipt
from kfnb.resources.services.requests import LabelledRow, RequestWindow


@dataclass(frozen=True)
class ServiceSpec:
    """A new service: what is fixed for its life, and its first desired state (generation 1).

    ``port`` 0 is a free one, which is then kept. ``token`` has to be sent with each request; without one, every
    client that reaches the address may send requests. A cluster has no use for ``host``, ``port`` and ``token``.
    """

    name: str
    desired: DesiredState
    owner: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class ServiceAddress:
    """Where requests go. ``url`` is an address that this process reaches, perhaps a port-forward's.

    ``headers`` are sent with each request: a token, the Host of a gateway. ``ca`` is a file of certificates to trust.
    ``denied`` is what helps where something before the service refuses the request. ``protocol`` is how rows are sent.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca: str = ""
    verify: bool = True
    denied: str = ""
    protocol: InferenceProtocol = field(default_factory=V1)


class ServiceEngine(Protocol):
    """A place where services run. Errors are ``kfnb.errors.BackendError`` and nothing else.

    An engine gets the desired state, and reaches it in the background: a version gets requests only once it has passed
    its check (unless ``unchecked``) and answers, no request is dropped when shares change, and where the desired state
    cannot be reached, the one before stays. ``pace`` is how often a service may be looked at.
    """

    name: str
    pace: Pace

    def create(self, spec: ServiceSpec) -> None:
        """Make a service, and return at once. Raises ``Conflict`` if there is one of that name.

        What cannot be served here is refused, with all reasons and what could be done instead.
        """
        ...

    def change(self, name: str, desired: DesiredState) -> None:
        """Change the desired state, and return at once, also of a stopped service.

        ``desired.generation`` is one more than the caller saw. If another user was faster, nothing is changed and
        ``Conflict`` is raised, which says who, when and what. Raises ``ServiceNotFound``.
        """
        ...

    def get(self, name: str) -> ServiceSnapshot:
        """The service, now. Raises ``ServiceNotFound``."""
        ...

    def list(self) -> builtins.list[ServiceSnapshot]:
        """The services there are, by name; perhaps without their histories."""
        ...

    def find(self, name: str) -> str:
        """The name of an existing service, also of one whose files are damaged. Raises ``ServiceNotFound``."""
        ...

    def stop(self, name: str) -> None:
        """Answer no more requests, after those under way; harmless when it is stopped."""
        ...

    def start(self, name: str) -> None:
        """Serve the desired state again, at the same address if that is free; harmless when it runs."""
        ...

    def delete(self, name: str) -> None:
        """Stop a service and forget it for good, with what it alone needs. Versions stay in their registry."""
        ...

    def logs(self, name: str, revision: int | None = None, *, follow: bool = False) -> Iterator[LogLine]:
        """The lines that revisions wrote (``LogLine.task`` is a reference, ``churn@7``), or one of them."""
        ...

    def address(self, name: str, version: str = "", verb: str = "predict") -> ServiceAddress:
        """Where requests of a ``verb`` go that the split, or ``version`` (a role, a number, a reference), answers.

        Raises ``ServiceFailed`` where it does not answer now, and ``BackendError``.
        """
        ...

    def requests(self, name: str, window: RequestWindow) -> Iterator[Any]:
        """The requests that were kept in a window, as blocks: see ``requests``. Files of another time are not read.

        Raises ``UsageError`` where nothing is kept, and for a version that is unknown.
        """
        ...

    def labelled(
        self, name: str, version: str, most: int, *, inputs: bool = False
    ) -> builtins.list[LabelledRow]:
        """The newest ``most`` rows of a version (``churn@7``; empty for any) whose labels have come, in their order.

        They are of all its revisions, as it may have been served several times; with ``inputs``, those rows that are
        still kept. Raises ``UsageError`` where nothing is kept.
        """
        ...

    def feedback(self, name: str, ids: Sequence[str], labels: Sequence[Any], by: str) -> FeedbackReceipt:
        """Keep labels for requests that were answered, and compare them: see ``feedback.labels_by_request``.

        Labels are as JSON has them, None where one is not known. Raises ``UsageError``, ``BackendError``.
        """
        ...
