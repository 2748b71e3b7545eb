"""``draw_studies``: a table of studies."""

from __future__ import annotations

import time
from collections.abc import Sequence

from kfnb.resources.runs.view.tasks import elapsed
from kfnb.resources.studies.model import StudySnapshot
from kfnb.ui.blocks import Text, bundle
from kfnb.ui.states import style_of
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import assignments, brief, duration, moment

COLUMNS = (
    Column("Name"),
    Column("State", whole=True),
    Column("Started", whole=True),
    Column("Time", number=True),
    Column("Trials", number=True),
    Column("Objective"),
    Column("Best", number=True),
    Column("Best parameters"),
    Column("Algorithm"),
    Column("Backend", aside=True),
)


def draw_studies(studies: Sequence[StudySnapshot], *, now: float | None = None) -> dict[str, str]:
    """Studies as a mimebundle: a row each, in the order given."""
    if not studies:
        return bundle("Studies", [Text("No studies yet.")])
    moment_now = time.time() if now is None else now
    table = Table("Studies", COLUMNS, [_row(study, moment_now) for study in studies])
    unread = [
        f"{study.name}: {study.error}" for study in studies if study.error and not study.objective.metric
    ]
    return bundle("Studies", [table.without_empty_columns(), *map(Text, unread)])


def _row(study: StudySnapshot, now: float) -> list[Value]:
    state, best = style_of(study.state), study.best
    objective = study.objective
    return [
        study.name,
        TableCell(state.word, state_style=state),
        moment(study.started or study.created),
        duration(elapsed(study.started, study.finished, now)),
        _trials(study),
        f"{'maximize' if objective.maximize else 'minimize'} {objective.metric}" if objective.metric else "",
        brief(best.value) if best else "",
        assignments(best.params) if best else "",
        study.algorithm,
        study.backend,
    ]


def _trials(study: StudySnapshot) -> str:
    """How many are done, of how many; empty where the trials were not asked for."""
    if not study.trials:
        return ""
    done, most = study.done, study.max_trials
    return f"{done:,} of {most:,}" if most and done < most else f"{done:,}"
