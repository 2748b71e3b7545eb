"""The handle of a service: what ``kfnb.serve`` returns, whichever engine runs it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from kfnb.entities import LogLine
from kfnb.errors import ServiceFailed, UsageError
from kfnb.extras import require
from kfnb.jobs.polling import Pause
from kfnb.live.named_handle import NamedHandle
from kfnb.resources.models.api import model
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.services.answers import Explanations, explanation_of
from kfnb.resources.services.client import ServedAnswer, ServiceClient
from kfnb.resources.services.engine import ServiceAddress, ServiceEngine
from kfnb.resources.services.feedback import labels_of, request_ids
from kfnb.resources.services.model import (
    DesiredState,
    RevisionState,
    ServiceMove,
    ServiceSnapshot,
    ServiceState,
)
from kfnb.resources.services.moves import Mover, other_models, served_target
from kfnb.resources.services.receipt import FeedbackReceipt
from kfnb.resources.services.requests import REQUEST_COLUMNS, Moment, RequestWindow, frame_of
from kfnb.resources.services.revision_rows import row_of
from kfnb.resources.services.rows import predictions
from kfnb.resources.services.targets import alias_of, aliases_of, target_of, terms_like
from kfnb.settings import owner
from kfnb.text.timespec import instant

_STOPS_WITHIN = 45.0
"""Seconds that the requests under way may take at the end."""


class Service(NamedHandle[ServiceEngine]):
    """A served model. Each property is read anew when it is accessed."""

    def __init__(self, engine: ServiceEngine, name: str) -> None:
        super().__init__(engine, name)
        self._client = ServiceClient(name, self._address)

    def snapshot(self) -> ServiceSnapshot:
        """The whole service as plain data, now."""
        now = self._engine.get(self.name)
        return replace(now, notes=(*now.notes, *other_models(now.desired)))

    @property
    def state(self) -> ServiceState:
        """The service's state."""
        return self.snapshot().state

    @property
    def url(self) -> str:
        """Where it answers; empty before it is known."""
        return self.snapshot().url

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that are served (``churn@7``), the default first."""
        return tuple(one.ref for one in self.snapshot().desired.targets)

    @property
    def traffic(self) -> dict[str, float]:
        """The share in percent of the requests that each version really gets now, by reference."""
        now = self.snapshot()
        getting = [one for one in now.revisions if one in now.current or one.share]
        return {one.ref: one.share for one in getting if one.share is not None}

    @property
    def history(self) -> tuple[ServiceMove, ...]:
        """The changes of what is served, the newest first."""
        return self.snapshot().history

    # -- asking it

    def predict(self, rows: Any, *, version: str = "") -> Any:
        """The predictions for some rows: an array, or a DataFrame where they have names.

        ``rows`` are a DataFrame, a list of dicts or lists, or an array. ``version`` is the one that has to answer
        (``canary``, ``default``, ``7``), by default one by the split. Waits until a service that starts answers. Raises
        ``UsageError`` for rows that do not fit the model's signature, ``ServiceFailed`` and ``BackendError``.
        """
        return predictions([one for answer in self.ask(rows, version=version) for one in answer.content])

    def explain(self, rows: Any, *, version: str = "") -> Explanations:
        """Which columns moved the predictions of some rows, and by how much. Arguments as for ``predict``."""
        answers = self._client.ask("explain", rows, version)
        try:
            return Explanations(explanation_of(one) for answer in answers for one in answer.content)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ServiceFailed(f"service {self.name} explains in an unknown format", ref=self.name) from None

    def ask(self, rows: Any, *, version: str = "") -> list[ServedAnswer]:
        """The answers for some rows with their ids and versions: one for each request, of at most 5,000 rows."""
        return self._client.ask("predict", rows, version)

    def feedback(self, ids: Any, labels: Any) -> FeedbackReceipt:
        """Tell what was true of rows that it predicted. Raises ``UsageError``, also if it knows none of the requests.

        ``ids`` are those of requests (header ``X-Kfnb-Request-Id``), or answers of ``ask``; ``labels`` has one for each
        row, or for each request (a list, if it has several rows). None is not known yet, a further one is a correction.
        """
        return self._engine.feedback(self.name, request_ids(ids), labels_of(labels), owner())

    def requests(
        self, *, since: Moment = None, until: Moment = None, version: str = "", features: bool = False
    ) -> Any:
        """The requests that it has kept, as a pandas DataFrame with a row for each row that was asked about.

        ``since`` and ``until`` are times, or durations ago (``"2h"``); ``version`` is a role, a number or a reference.
        Columns are ``id``, ``time``, ``prediction``, ``label`` (what was true, by ``feedback``) and others,
        ``input.NAME``, and with ``features`` also ``features.NAME``, what the transform made. Raises ``UsageError``.
        """
        columns = REQUEST_COLUMNS if features else tuple(one for one in REQUEST_COLUMNS if one != "features")
        first, last = (None if one is None else instant(one) for one in (since, until))
        return frame_of(self.request_blocks(RequestWindow(first, last, version, columns)))

    def request_blocks(self, window: RequestWindow) -> Iterator[Any]:
        """The requests of a window as ``RecordBatch`` of Arrow's, in constant memory: see ``services.requests``."""
        return self._engine.requests(self.name, window)

    def _address(self, version: str, verb: str) -> ServiceAddress:
        """Where requests go, once it answers."""
        for now in self.updates():
            if now.state.answers or now.state.finished:
                break
        return self._engine.address(self.name, version, verb)

    # -- changing it

    def canary(
        self,
        ref: str | ModelVersion,
        percent: int,
        *,
        because: str = "",
        unchecked: bool = False,
        pickle: bool = False,
        trust: Sequence[str] = (),
    ) -> Service:
        """Give a version ``percent`` of the requests, from 1 to 99, once it is ready. Returns at once.

        ``unchecked``, ``pickle`` and ``trust`` are as for ``kfnb.serve``. Raises ``UsageError``, and ``Conflict`` if
        another user changed the service meanwhile.
        """
        now = self.snapshot()
        target = target_of(ref, terms_like(now.desired.default, unchecked, pickle, trust))
        return self._change(Mover(owner(), because, now.failed).canary(now.desired, target, percent))

    def shadow(
        self,
        ref: str | ModelVersion,
        *,
        because: str = "",
        unchecked: bool = False,
        pickle: bool = False,
        trust: Sequence[str] = (),
    ) -> Service:
        """Send a version copies of all requests, once it is ready; its answers are only compared."""
        now = self.snapshot()
        target = target_of(ref, terms_like(now.desired.default, unchecked, pickle, trust))
        return self._change(Mover(owner(), because, now.failed).shadow(now.desired, target))

    def promote(
        self, *, alias: bool | str = False, because: str = "", notify: Callable[[str], None] = print
    ) -> Service:
        """Let the canary be the default: all requests go to it, at one moment.

        The registry's aliases of the default before stay where they are, as others may use them; ``alias=True`` moves
        the one that it was served by, and a name moves that one. ``notify`` is called with what is to be known of it.
        Raises ``UsageError`` if there is no canary or it is not ready, and ``Conflict``.
        """
        now = self.snapshot()
        canary = next((one for one in now.revisions if one.role == "canary"), None)
        if canary is not None and canary.state is not RevisionState.READY and not now.state.finished:
            message = f"the canary {canary.ref} is {canary.state}: {canary.error or 'it is not ready yet'}"
            raise UsageError(message, hint="wait() for it, or rollback()", ref=canary.ref)
        return self._replace_default(now.desired, Mover(owner(), because).promote(now.desired), alias, notify)

    def rollback(
        self, *, alias: bool | str = False, because: str = "", notify: Callable[[str], None] = print
    ) -> Service:
        """End the canary; without one, let the default before be the default again, once it is ready.

        ``alias`` and ``notify`` are as for ``promote``. Raises ``UsageError`` if there is nothing to go back to, and
        ``Conflict``.
        """
        now = self.snapshot().desired
        return self._replace_default(now, Mover(owner(), because).rollback(now), alias, notify)

    def _change(self, desired: DesiredState) -> Service:
        self._engine.change(self.name, desired)
        return self

    def _replace_default(
        self, now: DesiredState, after: DesiredState, alias: bool | str, notify: Callable[[str], None]
    ) -> Service:
        """Let another version be the default, and move an alias of the registry to it or say that it was not moved."""
        before, default = now.default, after.default
        moved = default.ref != before.ref
        name = alias_of(before, alias) if alias and moved else ""
        self._change(after)
        if name:
            reason = after.move.because or f"{after.move.action} in service {self.name}"
            model(f"{default.registry}:{default.ref}").promote(name, reason)
            notify(f"{default.model}@{name} is {default.ref}")
        elif moved:
            for one in aliases_of(before):
                notify(f"{before.model}@{one} still names {before.ref}; alias=True (--alias) moves it")
        return self

    # -- its life

    def wait(self, timeout: float | None = None) -> Service:
        """Wait until the desired state is reached, for ``timeout`` seconds at most.

        Raises ``ServiceFailed`` if a version cannot be served or the service is stopped, and ``TimeoutError``.
        """
        for now in self.updates(timeout):
            if now.settled:
                break
        else:
            raise TimeoutError(f"service {self.name} is still {now.state} after {timeout} s")
        if now.state.finished or now.failures:
            message = f"service {self.name}: {'; '.join(now.failures) or f'it is {now.state}'}"
            raise ServiceFailed(message, ref=self.name)
        return self

    def stop(self) -> Service:
        """Answer no more requests, after those under way, and return once it has stopped, or after 45 s.

        What is served is kept, and ``start`` serves it again.
        """
        self._engine.stop(self.name)
        self._client = ServiceClient(self.name, self._address)  # its address answers no more
        for now in self.updates(_STOPS_WITHIN):
            if now.state.finished:
                break
        return self

    def start(self) -> Service:
        """Serve again what was served. Returns at once."""
        self._engine.start(self.name)
        return self

    def delete(self) -> None:
        """Stop the service and forget it for good. Its versions stay in the registry."""
        self._engine.delete(self.name)

    def logs(self, version: str | None = None) -> str:
        """What its versions wrote, or one of them (``canary``, ``7``, ``churn@7``)."""
        return "\n".join(line.text for line in self.log_lines(version))

    def log_lines(self, version: str | None = None, *, follow: bool = False) -> Iterator[LogLine]:
        """The lines that its versions wrote; with ``follow``, also those to come."""
        revision = served_target(self.name, self.snapshot().desired, version).revision if version else None
        return self._engine.logs(self.name, revision, follow=follow)

    def to_frame(self) -> Any:
        """A row for each version as a pandas DataFrame: version, percent, requests, errors, p50_ms, p99_ms."""
        require("pandas", "to_frame")
        import pandas as pd

        return pd.DataFrame([row_of(one) for one in self.snapshot().revisions])

    def updates(self, timeout: float | None = None) -> Iterator[ServiceSnapshot]:
        """The service at each poll, at the engine's pace, for ``timeout`` seconds at most."""
        until = None if timeout is None else time.monotonic() + timeout
        pause, before = Pause(self.pace), None
        while True:
            now = self.snapshot()
            yield now
            pause.answered(changed=now != before)
            before = now
            left = pause.seconds if until is None else min(pause.seconds, until - time.monotonic())
            if left <= 0:
                return
            time.sleep(left)

    def __repr__(self) -> str:
        now = self.snapshot()
        shares = ", ".join(f"{one.ref} {one.percent} %" for one in now.revisions)
        return f"<Service {now.name}: {now.state}, {shares}{f', {now.url}' if now.url else ''}>"
