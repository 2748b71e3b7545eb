"""What the pods of a monitor do: count new requests, judge the window, and say whether to retrain.

It runs where kfnb is not installed: see ``kit``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from kfnb.capture.embedded.samples import kfnb_read_sample
from kfnb.remote.objects.access import StoreAccess
from kfnb.remote.objects.store import ObjectStore
from kfnb.resources.monitors.blocks import request_block
from kfnb.resources.monitors.evaluation import Window, report_of
from kfnb.resources.monitors.kubeflow.answer_shelf import KEPT, AnswerShelf, AnswerWriter, answers_in
from kfnb.resources.monitors.kubeflow.answers import answered, retrained
from kfnb.resources.monitors.kubeflow.kserve_log import (
    LoggedRequest,
    logged_requests,
    predictions_of,
)
from kfnb.resources.monitors.kubeflow.labelled import KnownLabels, labels_after, needs_labels
from kfnb.resources.monitors.kubeflow.place import MonitorPlace
from kfnb.resources.monitors.kubeflow.record import MonitorRecord
from kfnb.resources.monitors.model import MonitorSpec
from kfnb.resources.monitors.panes import Pane, PaneCounter, latest, together
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.stored import (
    columns_as_json,
    pane_of,
    reference_of,
    report_as_json,
    spec_of,
)
from kfnb.resources.monitors.transitions import LOOKED_BACK, standing_after
from kfnb.resources.services.kserve.label_folder import LabelFolder
from kfnb.resources.services.kserve.request_log import LogFolder
from kfnb.server.bodies import json_of
from kfnb.server.column_reader import InputRows
from kfnb.server.exchange import Exchange, Predicted
from kfnb.server.findings import BadInput, OnBadInput
from kfnb.server.inputs import ModelInputs, inputs_of
from kfnb.server.log_settings import LogSettings
from kfnb.server.logged_rows import LoggedRows
from kfnb.server.personal_columns import PersonalColumns
from kfnb.server.protocol_v1 import read_v1
from kfnb.server.protocol_v2 import read_v2
from kfnb.server.tables import BadRequest

ABOUT, MODEL = "kit.json", "model"
"""In the kit: what is checked, and the facts and sample of the model that is served."""

_DEFAULT, _CANARY = "default", "canary"
"""Versions by the role that KServe tells: their numbers are not known here."""
_BLOCK = 2048


@dataclass(frozen=True)
class Kit:
    """What the pods of a monitor know: the folder that a kit was unpacked in."""

    folder: Path
    spec: MonitorSpec
    reference: MonitorReference
    log: LogFolder
    on_bad_input: str

    @classmethod
    def read(cls, folder: Path) -> Kit:
        """Read it."""
        found = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        return cls(
            folder,
            spec_of(found["spec"]),
            reference_of(found["reference"]),
            LogFolder(**found["log"]),
            found["on_bad_input"],
        )

    def inputs(self) -> ModelInputs:
        """What the model takes."""
        model = self.folder / MODEL
        facts = json.loads((model / "kfnb_model.json").read_text(encoding="utf-8"))
        sample = kfnb_read_sample(str(model))
        return inputs_of(facts, None if sample is None else sample[0], OnBadInput(self.on_bad_input))


def place_of(about: Mapping[str, Any]) -> MonitorPlace:
    """The monitor's place, as the pipeline has it; its keys are in the environment."""
    options = about["options"]
    access = StoreAccess(
        about["service"],
        options.get("endpoint", ""),
        options.get("region", ""),
        not options.get("virtual_hosted_style_request"),
        account=options.get("account_name", ""),
    )
    return MonitorPlace(ObjectStore(access), about["path"])


def collect(kit: Kit, place: MonitorPlace, target: str) -> None:
    """Count what has been answered since the last check, into the file ``target``."""
    until = time.time() - kit.log.delay
    since = max(until - kit.spec.window, min(until, place.record().counted or 0.0))
    counter, shelf = PaneCounter(kit.reference, since, until), _shelf(kit, place)
    inputs, answers = kit.inputs(), AnswerWriter(shelf, until)
    rows = LoggedRows(LogSettings(Path(), version=_DEFAULT), inputs, PersonalColumns((), (), b""))
    canary = LoggedRows(LogSettings(Path(), version=_CANARY), inputs, PersonalColumns((), (), b""))
    labelled = needs_labels(kit.spec)
    found = logged_requests(place.store, kit.log, since, until)
    while some := list(islice(found, _BLOCK)):
        for make, of_canary in ((rows, False), (canary, True)):
            exchanges = [_exchange(one, inputs) for one in some if one.request.canary is of_canary]
            if exchanges:
                block = make.block(exchanges)
                counter.add(request_block(block, _DEFAULT))
                answers.add(answers_in(block, kit.spec.slices) if labelled and not of_canary else ())
    answers.close()
    shelf.forget(until - KEPT)
    Path(target).write_text(json.dumps(asdict(counter.pane())), encoding="utf-8")


def check(kit: Kit, place: MonitorPlace, pane: str, run: str, target: str) -> bool:
    """Judge the window that ends with the pane in a file, keep the report, and write it into the file ``target``.

    Whether to retrain now, in the run ``run``.
    """
    record = place.record()
    newest = pane_of(json.loads(Path(pane).read_text(encoding="utf-8")))
    since, now = newest.until - kit.spec.window, time.time()
    kept = [one for one in record.panes if one.key == newest.key and one.until > since]
    panes = (*kept, newest)
    requested = latest(record.requested, newest.newest)
    labels = _labels(kit, place, record, newest)
    window = Window(together(panes), labels.labelled(), now, kit.spec.created, requested, labels.last)
    report = report_of(kit.spec, kit.reference, window)
    report = replace(report, notes=(*report.notes, *labels.notes))
    standing = standing_after(kit.spec, record.standing, record.recent, report, now)
    actions, retrains = answered(kit.spec, standing.alarms, record.actions, run, now)
    place.add(report)
    place.keep(
        replace(
            record,
            counted=newest.until,
            panes=panes,
            recent=(*record.recent, report)[-LOOKED_BACK:],
            standing=standing,
            actions=actions,
            requested=requested,
            labels=labels,
        )
    )
    shown = {**report_as_json(report), "columns": columns_as_json(report)}
    Path(target).write_text(json.dumps(shown, default=str), encoding="utf-8")
    sys.stdout.writelines(f"{one.rule}: {one.state}\n" for one in standing.rules)
    return retrains


def _shelf(kit: Kit, place: MonitorPlace) -> AnswerShelf:
    return AnswerShelf(place.store, place.path, kit.reference.version)


def _labels(kit: Kit, place: MonitorPlace, record: MonitorRecord, newest: Pane) -> KnownLabels:
    """The newest labels. Those that come just now wait for the next check: what they are of may not be logged yet."""
    if not needs_labels(kit.spec):
        return KnownLabels()
    since, until = (one - kit.log.delay for one in (record.counted or newest.since, newest.until))
    folder = LabelFolder(place.store, kit.log.labels)
    return labels_after(kit.spec, record.labels, _shelf(kit, place), folder, since, until)


def finish(place: MonitorPlace, run: str) -> None:
    """Note that the retraining of a run is complete."""
    record = place.record()
    place.keep(replace(record, actions=retrained(record.actions, run, time.time())))


def _exchange(one: LoggedRequest, inputs: ModelInputs) -> Exchange:
    """A request as the server itself would have logged it."""
    exchange = Exchange(one.request.id, at=one.at, status=200 if one.response else 500)
    try:
        rows = _rows(one.request.body, inputs)
    except BadInput as error:
        exchange.bad, exchange.body = error.findings.counts, one.request.body
        return exchange
    exchange.rows = rows
    if rows is not None and one.response is not None:
        values = list(predictions_of(one.response.body))
        exchange.predicted = Predicted(values) if len(values) == rows.count else None
    return exchange


def _rows(body: bytes, inputs: ModelInputs) -> InputRows | None:
    """The rows of a request; None where it cannot be read, or is in binary. Raises ``BadInput``."""
    try:
        found = json_of(body, "")
        if "instances" in found or isinstance(found.get("inputs"), dict):
            return read_v1(found, inputs)
        return read_v2(found, memoryview(b""), inputs)
    except BadRequest:
        return None


def arguments(folder: str, place: str) -> tuple[Kit, MonitorPlace]:
    """What the steps of the pipeline are given, read."""
    return Kit.read(Path(folder)), place_of(json.loads(place))
