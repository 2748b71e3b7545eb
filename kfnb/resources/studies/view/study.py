"""``draw_study``: a study, its best trial first, its charts and its trials. ``draw_study_plot``: one chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kfnb.resources.runs.view.tasks import elapsed
from kfnb.resources.studies.model import Chart, Dimension, StudyPlot, StudySnapshot, TrialState
from kfnb.resources.studies.view.curves import Curves
from kfnb.resources.studies.view.dimensions import dimensions_of
from kfnb.resources.studies.view.history import History
from kfnb.resources.studies.view.importances import Importances
from kfnb.resources.studies.view.parallel import Parallel
from kfnb.resources.studies.view.progress import StudyProgress, moment_now
from kfnb.resources.studies.view.ranking import Ranking
from kfnb.resources.studies.view.slices import Slices
from kfnb.resources.studies.view.trials import Best, failure_blocks, trials_table
from kfnb.ui.blocks import Alert, Block, Folded, Section, Text, Title, bundle, notes_section
from kfnb.ui.markup import Element, el
from kfnb.ui.mount_point import Home
from kfnb.ui.states import style_of
from kfnb.ui.words import duration, moment

MOST_ROWS = 20
MOST_ROWS_OF_TEXT = 10


def draw_study(
    study: StudySnapshot, *, now: float | None = None, home: Home | None = None, cost: str = ""
) -> dict[str, str]:
    """A study as a mimebundle of HTML and text.

    ``now`` is the moment until which what runs is counted, ``home`` the mark for a page that shows the study live,
    ``cost`` what its trials cost, in words.
    """
    now = moment_now(now)
    ranking, dimensions = Ranking(study), dimensions_of(study)
    blocks: list[Block] = [_title(study, now, cost), *_error(study), *notes_section(study.notes)]
    if study.trials:
        blocks += [Best(ranking), StudyProgress(study, now), *_charts(ranking, dimensions)]
        blocks += _trials(ranking, dimensions)
    elif not study.error:
        blocks.append(Text("No trial has begun yet."))
    return bundle(f"Study {study.name}", blocks, home)


def draw_study_plot(plot: StudyPlot) -> dict[str, str]:
    """One chart of a study as a mimebundle."""
    block = _chart(plot.chart, Ranking(plot.study), dimensions_of(plot.study))
    return bundle(f"Study {plot.study.name}, {plot.chart}", [block])


def _chart(name: Chart, ranking: Ranking, dimensions: Sequence[Dimension]) -> Block:
    charts: dict[Chart, Block] = {
        "history": History(ranking),
        "parallel": Parallel(ranking, dimensions),
        "slices": Slices(ranking, dimensions),
        "importances": Importances(ranking.study.importances),
        "curves": Curves(ranking),
    }
    return charts[name]


def _title(study: StudySnapshot, now: float, cost: str) -> Title:
    objective = study.objective
    aim = "maximize" if objective.maximize else "minimize"
    at_once = f"{study.parallel} at once" if study.parallel > 1 else ""
    facts = (
        f"{aim} {objective.metric}",
        f"of {study.subject}" if study.subject not in ("", study.name) else "",
        study.algorithm,
        f"early stopping {study.early_stopping}" if study.early_stopping else "",
        at_once,
        study.backend,
        moment(study.started or study.created),
        cost,
    )
    return Title(
        study.name, style_of(study.state), duration(elapsed(study.started, study.finished, now)), facts
    )


def _error(study: StudySnapshot) -> list[Block]:
    return [Alert(style_of(study.state), "The study failed", [Text(study.error)])] if study.error else []


def _charts(ranking: Ranking, dimensions: Sequence[Dimension]) -> list[Block]:
    """The charts, as far as there is something to see."""
    if not ranking.ranked:
        curves = Curves(ranking)
        return [ChartRow([curves])] if curves else []
    importances: list[Block] = [Importances(ranking.study.importances)] if ranking.study.importances else []
    parallel: list[Block] = [Parallel(ranking, dimensions)] if dimensions else []
    curves = Curves(ranking)
    rows: list[list[Block]] = [[History(ranking), *importances], parallel]
    if curves:
        rows = [[History(ranking), curves], [*parallel, *importances]]
    rows.append([Slices(ranking, dimensions)] if dimensions else [])
    return [ChartRow(row) for row in rows if row]


def _trials(ranking: Ranking, dimensions: Sequence[Dimension]) -> list[Block]:
    failures = failure_blocks(ranking)
    count = sum(
        trial.state in (TrialState.FAILED, TrialState.METRICS_UNAVAILABLE) for trial in ranking.study.trials
    )
    blocks: list[Block] = []
    if failures and ranking.ranked:
        plural = "s" if count != 1 else ""
        blocks.append(Folded(f"{count:,} trial{plural} failed", failures, text_form=_count_text(count)))
    else:
        blocks += failures
    blocks.append(TrialTable(ranking, dimensions))
    return blocks


def _count_text(count: int) -> str:
    return f"{count:,} trial{'s' if count != 1 else ''} failed: study.trials has their errors"


@dataclass(frozen=True)
class TrialTable:
    """The table of trials, the best first; the first of them, and how many more there are."""

    ranking: Ranking
    dimensions: Sequence[Dimension]

    def to_html(self) -> Element:
        """The table under its heading."""
        return Section("Trials", self._blocks(MOST_ROWS)).to_html()

    def to_text(self) -> str:
        """Fewer of them."""
        return Section("Trials", self._blocks(MOST_ROWS_OF_TEXT)).to_text()

    def _blocks(self, most: int) -> list[Block]:
        table = trials_table(self.ranking, self.dimensions, most=most)
        rest = len(self.ranking.study.trials) - most
        more = Text(f"… {rest:,} more trials; study.to_frame() has all of them")
        return [table, more] if rest > 0 else [table]


@dataclass(frozen=True)
class ChartRow:
    """Charts side by side where there is room. In a study's text they say nothing."""

    charts: Sequence[Block]

    def to_html(self) -> Element:
        """The charts in a row that wraps."""
        boxes = (
            el("div", chart.to_html(), style=f"flex:{_share(chart)};min-width:0;max-width:100%")
            for chart in self.charts
        )
        return el("div", *boxes, style="display:flex;flex-wrap:wrap;gap:0 36px")

    def to_text(self) -> str:
        """Nothing."""
        return ""


def _share(chart: Block) -> str:
    if isinstance(chart, Importances):
        return "0 1 auto"
    return "1 1 600px" if isinstance(chart, Parallel) else "1 1 400px"
