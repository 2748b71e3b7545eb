"""Nothing that comes from data becomes markup, wherever it stands."""

import ast
import dataclasses
from pathlib import Path

import pytest
import widget_pages as reading
import widget_samples as samples
from hostile import filled
from hypothesis import given, settings
from hypothesis import strategies as st

import kfnb
from kfnb import entities
from kfnb.entities import Artifact, ComponentView, Port, Preview, RunSnapshot, RunState, Task, TaskError
from kfnb.entities.manifest import Manifest
from kfnb.prices.rates import Rates
from kfnb.resources.cluster.model import Check, CheckOutcome, Knowledge, Status, StatusItem
from kfnb.resources.cluster.view.checks import draw_checks
from kfnb.resources.cluster.view.status import draw_status
from kfnb.resources.components.view.component import draw_component
from kfnb.resources.components.view.graph import draw_graph
from kfnb.resources.costs.model import (
    CostGroup,
    CostReport,
    CostSpan,
    OfferCost,
    OfferList,
    OwnMachine,
    RunCost,
)
from kfnb.resources.costs.view.report import draw_costs
from kfnb.resources.costs.view.run_cost import draw_offers, draw_run_cost
from kfnb.resources.datasets.model import DatasetDiff, DatasetSnapshot, Verification
from kfnb.resources.datasets.view import draw_diff, draw_verification, draw_version, draw_versions
from kfnb.resources.experiments.model import Experiment
from kfnb.resources.experiments.view import draw_experiments
from kfnb.resources.lineage.model import Lineage
from kfnb.resources.lineage.view import draw_lineage
from kfnb.resources.models.importance_report import ImportanceReport
from kfnb.resources.models.leaderboard import Leaderboard, LeaderboardGroup, ShownLeaderboard
from kfnb.resources.models.model import (
    AliasChange,
    DataDamage,
    ModelComparison,
    ModelVerification,
    Transfer,
    VersionSnapshot,
)
from kfnb.resources.models.view.comparison import draw_model_comparison
from kfnb.resources.models.view.importance import draw_importance
from kfnb.resources.models.view.leaderboard import draw_leaderboard
from kfnb.resources.models.view.transfer import draw_transfer
from kfnb.resources.models.view.verification import draw_model_verification
from kfnb.resources.models.view.version import draw_history, draw_model_version
from kfnb.resources.monitors.model import Report
from kfnb.resources.monitors.snapshot import MonitorSnapshot, WindowProfiles
from kfnb.resources.monitors.view.monitor import draw_monitor
from kfnb.resources.monitors.view.monitors import draw_monitors
from kfnb.resources.monitors.view.report import draw_report
from kfnb.resources.notebooks.model import DryRun, Notebook, NotebookList
from kfnb.resources.notebooks.view import draw_dry_run, draw_notebook, draw_notebooks
from kfnb.resources.provenance.diff import ManifestDiff
from kfnb.resources.provenance.diff_view import draw_manifest_diff
from kfnb.resources.provenance.view import draw_manifest
from kfnb.resources.runs.comparison import compared
from kfnb.resources.runs.view.comparison import draw_comparison
from kfnb.resources.runs.view.progress import draw_progress
from kfnb.resources.runs.view.ranks import draw_ranks
from kfnb.resources.runs.view.run import draw_run
from kfnb.resources.runs.view.runs import draw_runs
from kfnb.resources.runs.view.task import draw_task
from kfnb.resources.schedules.model import ScheduleSnapshot
from kfnb.resources.schedules.view import draw_schedule, draw_schedules
from kfnb.resources.services.answers import RowExplanation
from kfnb.resources.services.model import ServiceSnapshot
from kfnb.resources.services.receipt import FeedbackReceipt
from kfnb.resources.services.view.answers import draw_explanations, draw_predictions
from kfnb.resources.services.view.feedback import draw_feedback
from kfnb.resources.services.view.service import draw_service
from kfnb.resources.services.view.services import draw_services
from kfnb.resources.settings.view import draw_settings
from kfnb.resources.studies.model import StudyPlot, StudySnapshot, Trial
from kfnb.resources.studies.view.studies import draw_studies
from kfnb.resources.studies.view.study import draw_study, draw_study_plot
from kfnb.resources.studies.view.trial import draw_trial
from kfnb.resources.uploads.model import UploadedPipeline
from kfnb.resources.uploads.view import draw_uploads
from kfnb.ui.markup import el

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='alert(1)",
    "</title></svg><script>alert(1)</script>",
    "</pre></textarea></iframe><script>alert(1)</script>",
    "<!-- ",
    "]]><script>alert(1)</script>",
    "\x1b]0;title\x07\x1b[31mred\x00\ud800",
    "javascript:alert(1)//http://x",
    "JaVa\tScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    'https://x" onclick="alert(1)',
    "[here](javascript:alert(1)) <svg onload=alert(1)><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x onerror=alert(1)&#62;",
]

ALLOWED_TAGS = {
    *("div", "span", "strong", "a", "code", "pre", "ul", "li", "details", "summary", "iframe"),
    *("table", "thead", "tbody", "tr", "th", "td", "ol", "em", "s"),
    *("img", "sub", "sup", "u", "mark", "small", "kbd", "dl", "dt", "dd"),
    *("svg", "g", "title", "rect", "circle", "path", "text", "tspan"),
}
ALLOWED_ATTRIBUTES = {
    *("style", "role", "tabindex", "scope", "title", "sandbox", "srcdoc", "loading"),
    *("viewbox", "width", "height", "x", "y", "dx", "rx", "cx", "cy", "r", "d", "transform", "opacity"),
    *("href", "target", "rel", "src", "alt", "colspan", "rowspan", "open", "data-kfnb-artifact"),
    *("font-size", "font-weight", "text-anchor", "aria-label", "aria-level", "aria-hidden"),
}


def poison(thing, text):
    """A copy of a model object with ``text`` in every field that can hold it."""
    if isinstance(thing, RunState) or thing is None or isinstance(thing, bool | int | float):
        return thing
    if isinstance(thing, str):
        return text
    if dataclasses.is_dataclass(thing):
        values = {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
        # ids and what refers to them keep the thing's shape: the poison is a suffix there
        linked = {"id", "parent", "source", "target"}
        new = {
            name: value + text if name in linked and value else poison(value, text)
            for name, value in values.items()
        }
        if "type" in values:
            new["type"] = values["type"] if isinstance(thing, Artifact) else text
        return type(thing)(**new)
    if isinstance(thing, dict):
        known = (
            "kfnb_curves",
            "confidenceMetrics",
            "confusionMatrix",
            "annotationSpecs",
            "rows",
            "row",
            "displayName",
        )
        rates = ("confidenceThreshold", "recall", "falsePositiveRate")
        keep = (*known, *rates)
        return {key if key in keep else key + text: poison(value, text) for key, value in thing.items()}
    return type(thing)(poison(item, text) for item in thing)


def check(bundle):
    page = reading.read(bundle["text/html"])
    assert {tag for tag, _ in page.elements} <= ALLOWED_TAGS
    assert {name for _, attributes in page.elements for name in attributes} <= ALLOWED_ATTRIBUTES
    assert all(frame["sandbox"] == "" for frame in page.tags("iframe"))
    assert all(picture["src"].startswith("data:image/") for picture in page.tags("img"))
    assert all(link["href"].startswith(("http://", "https://")) for link in page.tags("a"))
    for text in bundle.values():
        text.encode()
        assert not set(text) & set("\x00\x07\x1b")
    return page


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("sample", [samples.succeeded, samples.failed, samples.running])
def test_a_run_full_of_markup_shows_it_as_text(sample, attack):
    run = poison(sample(), attack)
    contents = dict.fromkeys(
        (artifact.uri for task in run.tasks for artifact in task.artifacts.values()), attack
    )
    page = check(draw_run(run, contents, now=samples.NOW))
    assert page.tags("table")
    check(draw_runs([run], now=samples.NOW))
    assert not set(draw_progress(run, now=samples.NOW)) & set("\x00\x07\x1b\n")


@pytest.mark.parametrize("attack", ATTACKS[:2])
def test_the_words_of_an_attack_are_still_there_to_read(attack):
    page = check(draw_run(poison(samples.failed(), attack), now=samples.NOW))
    assert page.text.count(attack) > 5


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_comparison_full_of_markup_shows_it_as_text(attack, whole):
    runs = [poison(run, attack) for run in samples.runs_to_compare()]
    page = check(draw_comparison(compared(runs, whole=whole)))
    assert page.tags("table")
    assert page.tags("svg")


@pytest.mark.parametrize("attack", ATTACKS)
def test_components_graphs_and_settings_escape_too(attack):
    check(draw_component(poison(samples.component(), attack)))
    check(draw_graph(poison(samples.graph(), attack)))
    check(draw_settings([(attack, attack, attack)]))


texts = st.one_of(st.sampled_from(ATTACKS), st.text(max_size=30), st.text(st.characters(), max_size=8))
artifacts = st.builds(
    Artifact,
    texts,
    st.sampled_from(
        ["system.Metrics", "system.ClassificationMetrics", "system.HTML", "system.Markdown", "x"]
    ),
    texts,
    st.dictionaries(
        st.one_of(texts, st.sampled_from(["confidenceMetrics", "confusionMatrix", "kfnb_curves"])),
        st.recursive(
            st.one_of(texts, st.floats(), st.none(), st.integers()),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
            max_leaves=5,
        ),
        max_size=3,
    ),
)
values = st.one_of(
    texts, st.floats(), st.lists(artifacts, max_size=2), artifacts, st.dictionaries(texts, texts, max_size=2)
)
mappings = st.dictionaries(texts, values, max_size=3)
moments = st.one_of(st.none(), st.floats())
ids = st.sampled_from(["a", "a/0", "a/0/b", "a/1", "a/1/b", "c", "c/d", ""])
tasks = st.builds(
    Task,
    id=ids,
    name=texts,
    state=st.sampled_from(RunState),
    parent=ids,
    group=st.booleans(),
    iteration=st.one_of(st.none(), st.integers(0, 2)),
    needs=st.lists(texts, max_size=2).map(tuple),
    started=moments,
    finished=moments,
    inputs=mappings,
    outputs=mappings,
    metrics=mappings,
    cached=st.booleans(),
    attempts=st.integers(0, 3),
    error=st.one_of(st.none(), st.builds(TaskError, texts, texts, texts)),
)
runs = st.builds(
    RunSnapshot,
    id=texts,
    name=texts,
    pipeline=texts,
    backend=texts,
    state=st.sampled_from(RunState),
    arguments=mappings,
    experiment=texts,
    created=moments,
    started=moments,
    finished=moments,
    tasks=st.lists(tasks, max_size=6).map(tuple),
    result=mappings,
    error=texts,
    metrics=mappings,
    environment=st.dictionaries(texts, texts, max_size=3),
)


@settings(max_examples=60)
@given(runs, texts)
def test_any_run_can_be_drawn_and_none_brings_markup(run, content):
    contents = dict.fromkeys(
        (value.uri for task in run.tasks for value in task.outputs.values() if isinstance(value, Artifact)),
        content,
    )
    check(draw_run(run, contents, now=samples.NOW))
    check(draw_runs([run], now=samples.NOW))
    assert "\n" not in draw_progress(run, now=samples.NOW)


@settings(max_examples=60)
@given(st.lists(runs, min_size=2, max_size=4), st.booleans())
def test_any_runs_can_be_compared_and_none_brings_markup(some, whole):
    check(draw_comparison(compared(some, whole=whole), now=samples.NOW))


def uris(task):
    values = [*task.inputs.values(), *task.outputs.values()]
    return [value.uri for value in values if isinstance(value, Artifact)]


def previews_of(task, text):
    return dict.fromkeys(uris(task), poison(samples.PREVIEW, text))


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_task_and_its_previews_full_of_markup_show_it_as_text(attack):
    task = poison(samples.full_task(), attack)
    page = check(
        draw_task(task, dict.fromkeys(uris(task), attack), previews_of(task, attack), now=samples.NOW)
    )
    assert page.tags("iframe")
    assert page.tags("table")


@pytest.mark.parametrize("attack", ATTACKS[:2])
def test_the_words_of_an_attack_in_a_preview_are_still_there_to_read(attack):
    task = samples.full_task()
    page = check(draw_task(task, samples.CONTENTS, previews_of(task, attack), now=samples.NOW))
    said = page.text.replace("\N{NO-BREAK SPACE}", " ").count(attack)
    # three facts, two columns of three cells, a file, the text and the note, of each artifact but the reports
    assert said == 3 * (3 + 6 + 1 + 1 + 1)


rows = st.integers(0, 3).flatmap(
    lambda width: st.lists(st.lists(texts, min_size=width, max_size=width).map(tuple), min_size=1, max_size=3)
)
previews = st.builds(
    lambda table, **fields: Preview(columns=table[0], rows=tuple(table[1:]), **fields),
    rows,
    size=st.none() | st.integers(0),
    facts=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
    hidden=st.integers(0, 3),
    files=st.lists(st.tuples(texts, st.none() | st.integers(0)), max_size=2).map(tuple),
    more=st.booleans(),
    text=texts,
    note=texts,
)


@settings(max_examples=60)
@given(tasks, previews, texts, st.booleans())
def test_any_task_can_be_drawn_and_none_brings_markup(task, preview, content, titled):
    found = uris(task)
    contents = dict.fromkeys(found[::2], content)
    check(draw_task(task, contents, dict.fromkeys(found, preview), now=samples.NOW, titled=titled))


nodes = st.builds(entities.GraphNode, ids, texts, ids, st.booleans(), texts)


@settings(max_examples=40)
@given(
    st.lists(nodes, max_size=6), st.lists(st.builds(entities.GraphEdge, ids, ids, texts), max_size=6), texts
)
def test_any_graph_can_be_drawn_and_none_brings_markup(some, edges, text):
    ports = (Port(text, text, text, text),)
    check(draw_graph(entities.Graph(text, ports, tuple(some), tuple(edges), (text,))))


def test_an_element_escapes_its_text_and_its_attributes():
    assert str(el("b", "<i>", title='"<')) == '<b title="&quot;&lt;">&lt;i&gt;</b>'


def drifted(text):
    """Distributions of a column with that name and that value."""
    column = {"name": text, "type": text, "rows": 2, "nulls": 1, "top": [(text, 1)], "other": 0}
    profile = {"columns": [column]}
    return WindowProfiles(profile, profile, profile, profile)


DRAWN = {
    "draw_checks": lambda text: draw_checks(
        [dataclasses.replace(filled(Check, text), outcome=outcome) for outcome in CheckOutcome]
    ),
    "draw_comparison": lambda text: draw_comparison(
        compared([filled(RunSnapshot, text), filled(RunSnapshot, text)])
    ),
    "draw_costs": lambda text: draw_costs(
        CostReport(
            [filled(CostGroup, text), filled(CostGroup, text)],
            filled(CostSpan, text),
            filled(Rates, text),
            filled(CostGroup, text),
            places=(filled(OfferCost, text),),
            machine=filled(OwnMachine, text),
            notes=(text,),
        )
    ),
    "draw_run_cost": lambda text: draw_run_cost(filled(RunCost, text)),
    "draw_offers": lambda text: draw_offers(OfferList([filled(Rates, text)], text)),
    "draw_diff": lambda text: draw_diff(filled(DatasetDiff, text)),
    "draw_component": lambda text: draw_component(filled(ComponentView, text)),
    "draw_experiments": lambda text: draw_experiments([filled(Experiment, text)]),
    "draw_graph": lambda text: draw_graph(filled(entities.Graph, text)),
    "draw_history": lambda text: draw_history([filled(AliasChange, text)]),
    "draw_leaderboard": lambda text: draw_leaderboard(
        ShownLeaderboard(
            Leaderboard([filled(LeaderboardGroup, text)], text, maximize=True, only=text),
            DataDamage({text: text}, text),
        )
    ),
    "draw_model_comparison": lambda text: draw_model_comparison(filled(ModelComparison, text)),
    "draw_model_version": lambda text: draw_model_version(
        filled(VersionSnapshot, text),
        [filled(VersionSnapshot, text)],
        [filled(AliasChange, text)],
        text,
        DataDamage({text: text}, text),
    ),
    "draw_model_verification": lambda text: draw_model_verification(filled(ModelVerification, text)),
    "draw_transfer": lambda text: draw_transfer(filled(Transfer, text)),
    "draw_feedback": lambda text: draw_feedback(filled(FeedbackReceipt, text)),
    "draw_importance": lambda text: draw_importance(filled(ImportanceReport, text)),
    "draw_explanations": lambda text: draw_explanations([filled(RowExplanation, text)]),
    "draw_predictions": lambda text: draw_predictions([text, {text: [text]}], [text]),
    "draw_service": lambda text: draw_service(filled(ServiceSnapshot, text)),
    "draw_services": lambda text: draw_services([filled(ServiceSnapshot, text)]),
    "draw_monitor": lambda text: draw_monitor(
        dataclasses.replace(filled(MonitorSnapshot, text), profiles=drifted(text))
    ),
    "draw_monitors": lambda text: draw_monitors([filled(MonitorSnapshot, text)]),
    "draw_report": lambda text: draw_report(filled(Report, text)),
    "draw_manifest": lambda text: draw_manifest(filled(Manifest, text)),
    "draw_manifest_diff": lambda text: draw_manifest_diff(filled(ManifestDiff, text)),
    "draw_lineage": lambda text: draw_lineage(filled(Lineage, text)),
    "draw_notebook": lambda text: draw_notebook(filled(Notebook, text)),
    "draw_notebooks": lambda text: draw_notebooks(filled(NotebookList, text)),
    "draw_progress": lambda text: {"text/html": "", "text/plain": draw_progress(filled(RunSnapshot, text))},
    "draw_dry_run": lambda text: draw_dry_run(filled(DryRun, text)),
    "draw_run": lambda text: draw_run(filled(RunSnapshot, text), {text: text}),
    "draw_runs": lambda text: draw_runs([filled(RunSnapshot, text)]),
    "draw_ranks": lambda text: draw_ranks(filled(Task, text), 0.0),
    "draw_schedule": lambda text: draw_schedule(filled(ScheduleSnapshot, text)),
    "draw_schedules": lambda text: draw_schedules([filled(ScheduleSnapshot, text)]),
    "draw_settings": lambda text: draw_settings([(text, text, text)]),
    "draw_status": lambda text: draw_status(filled(Status, text)),
    "draw_studies": lambda text: draw_studies([filled(StudySnapshot, text)]),
    "draw_study": lambda text: draw_study(filled(StudySnapshot, text)),
    "draw_study_plot": lambda text: draw_study_plot(StudyPlot(filled(StudySnapshot, text), "history")),
    "draw_task": lambda text: draw_task(filled(Task, text), {text: text}, {text: filled(Preview, text)}),
    "draw_verification": lambda text: draw_verification(filled(Verification, text)),
    "draw_version": lambda text: draw_version(filled(DatasetSnapshot, text)),
    "draw_versions": lambda text: draw_versions([filled(DatasetSnapshot, text)]),
    "draw_trial": lambda text: draw_trial(filled(StudySnapshot, text), filled(Trial, text)),
    "draw_uploads": lambda text: draw_uploads([filled(UploadedPipeline, text)]),
}


def displays():
    """The functions of all views that draw something whole: a mimebundle, or a line."""
    for file in Path(kfnb.__file__).parent.rglob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            drawn = isinstance(node, ast.FunctionDef) and node.name.startswith("draw_") and node.returns
            if drawn and ast.unparse(node.returns) in ("dict[str, str]", "str"):
                yield node.name


# what is drawn as text for a terminal alone
TEXT_ALONE = {"draw_logs", "draw_local_cluster"}


def test_everything_that_is_drawn_is_attacked():
    assert set(DRAWN) | TEXT_ALONE == set(displays())


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", DRAWN)
def test_no_display_becomes_markup_wherever_the_words_stand(name, attack):
    page = check(DRAWN[name](attack))
    assert name == "draw_progress" or page.text.strip()
    assert not [link for link in page.tags("a") if "onclick" in link]


@pytest.mark.parametrize("chart", ["history", "parallel", "slices", "importances", "curves"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_chart_of_a_study_becomes_markup(chart, attack):
    check(draw_study_plot(StudyPlot(filled(StudySnapshot, attack), chart)))


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_status_of_which_nothing_is_known_escapes_too(attack):
    check(draw_status(dataclasses.replace(filled(Status, attack), server="")))
    unknown = {
        field.name: StatusItem(Knowledge.UNKNOWN, reason=attack)
        for field in dataclasses.fields(Status)
        if isinstance(getattr(filled(Status, attack), field.name), StatusItem)
    }
    check(draw_status(dataclasses.replace(filled(Status, attack), **unknown)))
