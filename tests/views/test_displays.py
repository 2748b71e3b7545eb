"""The smaller displays: runs, a component, a graph, settings, progress."""

import subprocess
import sys
from dataclasses import replace

import widget_pages as reading
import widget_samples as samples

from kfnb.entities import ComponentView, Graph, GraphEdge, GraphNode, RunSnapshot, RunState, Task
from kfnb.resources.components.view.component import draw_component
from kfnb.resources.components.view.graph import draw_graph
from kfnb.resources.runs.view.progress import draw_progress
from kfnb.resources.runs.view.run import draw_run
from kfnb.resources.runs.view.runs import draw_runs
from kfnb.resources.settings.view import draw_settings
from kfnb.ui.words import own_name


def test_every_display_has_a_text_and_an_html_form():
    bundles = [
        draw_run(samples.succeeded()),
        draw_runs([samples.failed()]),
        draw_component(samples.component()),
        draw_graph(samples.graph()),
        draw_settings([("host", "x", "KFNB_HOST")]),
    ]
    for bundle in bundles:
        assert set(bundle) == {"text/plain", "text/html"}
        assert all(bundle.values())


def test_runs_are_a_table_with_their_states_in_words():
    text = draw_runs([samples.failed(), samples.running()], now=samples.NOW)["text/plain"].splitlines()
    assert text[0].split() == ["Id", "Pipeline", "Name", "State", "Started", "Time", "Arguments"]
    assert "✗ Failed" in text[2]
    assert "1 min 15 s" in text[3]
    assert "churn-20261124-070000-a1b2" in text[2]


def test_runs_that_were_put_away_are_marked_and_lead_to_their_page():
    away = replace(samples.failed(), archived=True, url="https://kf/#/runs/details/1")
    page = reading.read(draw_runs([away, samples.running()])["text/html"])
    assert "Archived" in page.text
    assert [link["href"] for link in page.tags("a")] == ["https://kf/#/runs/details/1"]
    assert "Archived" not in draw_runs([samples.failed()])["text/html"]


def test_no_runs_and_no_settings_are_said():
    assert draw_runs([])["text/plain"] == "No runs yet."
    assert draw_settings([])["text/plain"] == "No settings."


def test_a_component_shows_what_travels_and_why():
    bundle = draw_component(samples.component())
    assert ["clean", "source", "cell [2]", "called in line 2"] in reading.rows(bundle["text/html"])
    assert "pandas==2.3.1, scikit-learn==1.7.0" in bundle["text/plain"]
    assert "    def train(df, C: float = 1.0):" in bundle["text/plain"]
    assert reading.read(bundle["text/html"]).tags("details")


def test_a_component_with_nothing_has_no_empty_sections():
    assert (
        draw_component(ComponentView("empty", "empty [1]"))["text/plain"]
        == "empty\ncomponent · cell empty [1]"
    )


def test_a_graph_shows_its_wiring_in_words_too():
    bundle = draw_graph(samples.graph())
    rows = reading.rows(bundle["text/html"])
    assert ["    train", "df, cols from load"] in rows
    assert ["report", "after for C in [0.1, 1.0, 10.0]"] in rows
    assert bundle["text/html"].count("<svg") == 1
    assert "df, cols" in bundle["text/html"][bundle["text/html"].index("<svg") :]


def test_the_steps_of_a_graph_stand_in_the_order_in_which_they_run():
    nodes = (
        GraphNode("g", "condition-branches-1", group=True),
        GraphNode("g/c", "c", "g"),
        GraphNode("b", "b"),
        GraphNode("a", "a"),
    )
    edges = (GraphEdge("a", "b"), GraphEdge("b", "g/c"))
    rows = reading.rows(draw_graph(Graph("p", nodes=nodes, edges=edges))["text/html"])
    assert [row[0].strip() for row in rows[1:]] == ["a", "b", "branches", "c"]


def test_a_name_that_says_no_more_than_when_it_began_is_left_out():
    names = ("p", "p-20261124-073511-36ce", "p-20261124", "mine")
    assert [own_name(RunSnapshot("id", name, "p", "local")) for name in names] == [
        "",
        "",
        "p-20261124",
        "mine",
    ]


def test_an_empty_graph_is_drawn_without_a_picture():
    assert draw_graph(Graph("nothing"))["text/plain"] == "nothing\npipeline · 0 steps"


def test_progress_is_one_line():
    now = samples.NOW
    assert draw_progress(samples.running(), now=now) == (
        "2/7 done · features running 12 s, check-the-spelling-of-everything running 4.0 s"
    )
    assert draw_progress(samples.succeeded(), now=now) == (
        "✓ Succeeded in 52 s · 10 Succeeded, 3 Skipped · 1 cached"
    )
    assert draw_progress(samples.failed(), now=now) == (
        "✗ Failed in 9.0 s · train (cell train [3], line 2): ValueError: Input X contains NaN."
    )


def test_progress_names_two_running_tasks_and_counts_the_rest():
    tasks = tuple(Task(f"t{i}", f"t{i}", state=RunState.RUNNING, started=samples.START) for i in range(5))
    run = RunSnapshot("r", "r", "p", "local", state=RunState.RUNNING, tasks=tasks)
    assert (
        draw_progress(run, now=samples.START + 3) == "0/5 done · t0 running 3.0 s, t1 running 3.0 s, +3 more"
    )


def test_progress_before_anything_runs_says_the_state():
    assert draw_progress(RunSnapshot("r", "r", "p", "local")) == "Pending · 0/0 done"


def test_nothing_heavy_and_no_other_layer_is_imported():
    program = (
        "import sys, kfnb.resources\n"
        "from pathlib import Path\n"
        "for file in Path(kfnb.resources.__path__[0]).glob('*/*'):\n"
        "    if file.stem in ('view', 'wire') and file.parent.name != 'localcluster':\n"
        "        __import__(f'kfnb.resources.{file.parent.name}.{file.stem}')\n"
        "    if file.is_dir() and file.name == 'view':\n"
        "        for one in file.glob('*.py'):\n"
        "            __import__(f'kfnb.resources.{file.parent.name}.view.{one.stem}')\n"
        "messages = {f'kfnb.live.{one}' for one in ('contents', 'messages', 'redraw')}\n"
        "drawn = ('kfnb.ui', 'kfnb.entities', 'kfnb.text', 'kfnb.capture.embedded', 'kfnb.prices.rates')\n"
        "ours = {m for m in sys.modules if m.startswith('kfnb.') and not m.startswith(drawn)}\n"
        "ours = {m for m in ours if not m.startswith('kfnb.resources') or m.endswith(('.api', '.handle', '.line'))}\n"
        # packages of code of any layer, and of plain data, which import nothing else
        "ours -= {'kfnb.capture', 'kfnb.prices', 'kfnb.prices.machine'}\n"
        "assert ours <= {'kfnb.diagnostics', 'kfnb.errors', 'kfnb.live', *messages} | set(sys.argv[1:]), ours\n"
        "heavy = {'pandas', 'numpy', 'kfp', 'kubernetes', 'fsspec'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    bare = subprocess.run(
        [sys.executable, "-c", "import sys, kfnb; print(*(m for m in sys.modules if m.startswith('kfnb.')))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    subprocess.run([sys.executable, "-c", program, *bare.stdout.split()], check=True)
