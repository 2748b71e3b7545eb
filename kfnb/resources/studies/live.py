"""How a study is followed in a page, and what the page may ask of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from kfnb.entities import LogLine
from kfnb.jobs.polling import Pace
from kfnb.live.board import Board
from kfnb.live.followables import Followable, state_of
from kfnb.live.handlers import Answer, detail
from kfnb.live.messages import DetailRequest, LogRequest, SaveRequest
from kfnb.resources.studies import api, model
from kfnb.resources.studies.costs import cost_words
from kfnb.resources.studies.handle import Study
from kfnb.resources.studies.known_importances import KnownImportances
from kfnb.resources.studies.view.study import draw_study
from kfnb.resources.studies.view.trial import draw_trial
from kfnb.resources.studies.wire import StudyWire, find_trial, wire_id
from kfnb.text.logs import settled
from kfnb.ui.mount_point import Home

# -- what the page asks of a study ------------------------------------------------------------------------------------


def _detail_of_trial(board: Board, request: DetailRequest) -> None:
    def content() -> tuple[str, str] | None:
        study: model.StudySnapshot = board.find(request.type, request.id).snapshot()
        trial = find_trial(study.trials, int(request.part))
        return None if trial is None else (draw_trial(study, trial)["text/html"], "")

    detail(board, request, content)


def _log_of_trial(board: Board, request: LogRequest) -> None:
    study: Study = board.find(request.type, request.id)
    board.log(request, lambda: _lines(study, request.part))


def _save_of_trial(board: Board, request: SaveRequest) -> None:
    study: Study = board.find(request.type, request.id)
    board.save(request, f"{study.name}-{request.part}.log", _lines(study, request.part))


def _lines(study: Study, trial: str) -> Iterator[LogLine | None]:
    return settled(LogLine("", text) for text in study.log_lines(int(trial)))


_ANSWERS: Mapping[str, Answer] = {
    "detail": _detail_of_trial,
    "log": _log_of_trial,
    "save": _save_of_trial,
}

# -- a study ----------------------------------------------------------------------------------------------------------


class StudySubject:
    """A study; its importances are sent as they become known."""

    type = "study"

    def __init__(self, study: Study) -> None:
        self.id = wire_id(study.backend, study.name)
        self.pace: Pace = study.pace
        self._observed = study.observe()
        self._importances = KnownImportances()
        self._shown = self._observed.study

    @property
    def shown(self) -> model.StudySnapshot:
        """The study."""
        return self._shown

    @property
    def over(self) -> bool:
        """Whether the study is finished, and its importances are known."""
        return self._shown.state.finished and self._importances.settled(self._shown)

    def refresh(self) -> bool:
        """Poll once more; return whether anything is new."""
        touched = self._observed.refresh()
        study = self._observed.study
        values, fresh = self._importances.of(study)
        self._shown = replace(study, importances=values)
        return fresh or bool(touched)


def _study(id: str) -> Study:
    backend, _, name = id.partition("/")
    return api.study(name, backend=backend)


def _line_of_study(study: model.StudySnapshot) -> str:
    return (
        f"study {study.name}: {state_of(study)}. A cell above shows it; %kf_study {study.name} draws it here"
    )


def _drawn(study: model.StudySnapshot, home: Home | None = None) -> dict[str, str]:
    return draw_study(study, home=home, cost=cost_words(study))


STUDY = Followable(
    "study",
    Study,
    name=lambda study: wire_id(study.backend, study.name),
    find=_study,
    draw=_drawn,
    subject=lambda _, study: StudySubject(study),
    wire=lambda _: StudyWire(),
    answers=_ANSWERS,
    line=_line_of_study,
)

FOLLOWABLES = (STUDY,)
