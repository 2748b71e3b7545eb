"""A task's panel: its error, what it took, what it made."""

import re
from dataclasses import replace

import pytest
import widget_pages as reading
import widget_samples as samples

from kfnb.entities import Artifact, Preview, RunState, Task, TaskError
from kfnb.resources.runs.view.task import artifact_of, draw_task
from kfnb.ui.words import file_size, width

DATA = Artifact("data", "system.Dataset", "s3://bucket/run/data", {"format": "parquet", "shape": "569 x 31"})
MODEL = Artifact("model", "system.Model", "/runs/model", {"format": "skops"})
TABLE = Preview(
    size=48_213,
    facts=(("format", "parquet"), ("shape", "569 x 31")),
    columns=("name", "radius"),
    rows=(("Ada", "17.99"), ("Grace", "20.5")),
)


def drawn(task, contents=None, previews=None, **more):
    return draw_task(task, contents or {}, previews or {}, **{"now": samples.NOW, **more})


def html_of(*args, **more):
    return drawn(*args, **more)["text/html"]


def text_of(*args, **more):
    return drawn(*args, **more)["text/plain"].replace("\N{NO-BREAK SPACE}", " ")


def made(*, inputs=None, **outputs):
    return samples.task("train", inputs=inputs or {}, outputs=outputs)


# -- the task -------------------------------------------------------------------------------------------------


def test_a_failed_task_says_first_why_with_the_cell_the_line_and_the_users_frames():
    error = TaskError("ValueError: Input X contains NaN.", samples.TRACEBACK, "cell train [3], line 2")
    task = samples.task("train", RunState.FAILED, error=error, inputs={"C": 0.5})
    text = text_of(task)
    assert "✗ train failed (cell train [3], line 2)\nValueError: Input X contains NaN.\n    Traceback" in text
    assert text.index("LogisticRegression(C=C)") < text.index("Inputs")
    assert reading.read(html_of(task)).tags("div")[0]["aria-label"] == "Task train"
    assert any(one.get("role") == "alert" for one in reading.read(html_of(task)).tags("div"))


def test_a_task_that_failed_without_a_message_points_to_its_log():
    assert "its log may say why" in text_of(Task("a", "a", state=RunState.FAILED))


def test_its_state_and_time_stand_above_it_unless_they_are_shown_around_it():
    task = Task("a", "a", RunState.RUNNING, started=samples.NOW - 12, attempts=2, doing="pulling its image")
    assert text_of(task).startswith("○ Pending · a\n2 attempts · pulling its image")
    assert text_of(replace(task, doing="")).startswith("● Running · a · 12 s\n2 attempts · 20")
    assert "Running" not in text_of(task, titled=False)


def test_a_task_in_loops_says_in_which_turns():
    assert "· train [0][2] ·" in text_of(replace(made(), id="for-loop-1/0/for-loop-2/2/train", iteration=2))


@pytest.mark.parametrize(
    ("state", "words"), [(RunState.PENDING, "outputs yet."), (RunState.SKIPPED, "outputs.")]
)
def test_a_task_without_anything_says_so(state, words):
    assert text_of(Task("a", "a", state)).endswith(f"No inputs and {words}")


# -- values ---------------------------------------------------------------------------------------------------


def test_short_values_are_a_table():
    task = made(
        inputs={"C": 0.5, "tags": ["a", "b"], "name": "x", "none": None, "empty": ""}, accuracy=0.9432
    )
    assert reading.rows(html_of(task)) == [
        ["Name", "Value"],
        ["C", "0.5"],
        ["tags", "['a', 'b']"],
        ["name", "x"],
        ["none", "None"],
        ["empty", "''"],
        ["Name", "Value"],
        ["accuracy", "0.9432"],
    ]


def test_a_value_of_several_lines_keeps_them():
    task = made(query="select *\nfrom customers")
    assert "query · 23 characters\n    select *\n    from customers" in text_of(task)
    (block,) = reading.read(html_of(task)).tags("pre")
    assert "pre-wrap" in block["style"]
    assert block["tabindex"] == "0"


def test_of_a_long_value_the_first_two_thousand_characters_are_shown():
    page = reading.read(html_of(made(log="x" * 1_000_000)))
    assert "1,000,000 characters" in page.text
    assert "x" * 2000 + "…" in page.text
    assert "x" * 2001 not in page.text


def test_a_long_list_is_written_line_by_line():
    text = text_of(made(grid=list(range(300)), steps=["a" * 70]))
    assert "grid · 300 items\n    [0, 1, 2, 3," in text
    assert "steps · 1 item\n" in text


def test_a_value_that_cannot_be_written_spoils_nothing():
    class Broken:
        def __repr__(self):
            raise ValueError

    assert "Broken" in text_of(made(value=Broken(), several=[Broken()]))


# -- artifacts ------------------------------------------------------------------------------------------------


def test_an_artifact_is_its_type_and_where_it_lies_and_no_link():
    html = html_of(made(inputs={"data": DATA}, model=MODEL))
    text = text_of(made(inputs={"data": DATA}, model=MODEL))
    assert "data · Dataset 569 x 31 · parquet\ns3://bucket/run/data" in text
    assert "model · Model · skops\n/runs/model" in text
    assert not reading.read(html).tags("a")


def test_a_list_of_artifacts_is_told_one_by_one_up_to_a_limit():
    text = text_of(made(inputs={"models": [MODEL] * 45}))
    assert "models [39] · Model" in text
    assert "models [40]" not in text
    assert "… 5 more artifacts" in text


def test_what_was_reported_is_shown_numbers_first_and_files_last():
    text = text_of(samples.full_task(), samples.CONTENTS)
    order = ["Outputs", "metrics\n", "classification\nROC curve", "# Notes", "(a page of", "model · Model"]
    assert sorted(order, key=text.index) == order
    page = reading.read(html_of(samples.full_task(), samples.CONTENTS))
    (frame,) = page.tags("iframe")
    assert frame["sandbox"] == ""
    assert len(page.tags("svg")) == 1
    assert "kf_" not in text


def test_metrics_that_are_no_artifact_are_shown_all_the_same():
    assert "metrics\nMetric    Value\n" in text_of(replace(made(), metrics={"accuracy": 0.9}))
    assert text_of(replace(samples.full_task(), metrics={"accuracy": 0.9})).count("Metric ") == 1


def test_a_page_that_was_not_read_is_told_by_its_place():
    assert "page · HTML\n/runs/page.html" in text_of(
        made(page=Artifact("p", "system.HTML", "/runs/page.html"))
    )


# -- previews -------------------------------------------------------------------------------------------------


def test_of_a_dataset_the_first_rows_are_shown():
    html = html_of(made(data=DATA), {}, {DATA.uri: TABLE})
    assert reading.rows(html) == [["name", "radius"], ["Ada", "17.99"], ["Grace", "20.5"]]
    headers = [one["style"] for one in reading.read(html).tags("th") if one["scope"] == "col"]
    assert ["right" in style for style in headers] == [False, True]
    assert "data · Dataset · parquet · 569 x 31 · 48.2 kB\n" in text_of(
        made(data=DATA), {}, {DATA.uri: TABLE}
    )


@pytest.mark.parametrize(
    ("preview", "words"),
    [
        (replace(TABLE, more=True, hidden=29), "The first 2 rows, 2 of 31 columns"),
        (replace(TABLE, rows=TABLE.rows[:1], more=True), "The first row"),
        (replace(TABLE, rows=()), "No rows"),
        (replace(TABLE, hidden=1), "2 of 3 columns"),
        (Preview(files=(("a.bin", 12), ("b.bin", None)), more=True), "The first 2 files"),
        (Preview(text="the beginning", more=True), "the beginning…"),
        (Preview(text="all"), "all"),
        (Preview(note="the file is empty"), "The file is empty"),
    ],
)
def test_what_is_left_out_is_said(preview, words):
    assert text_of(made(data=DATA), {}, {DATA.uri: preview}).endswith(words)


def test_a_table_in_full_says_no_more():
    assert text_of(made(data=DATA), {}, {DATA.uri: TABLE}).endswith("Grace    20.5")


def test_a_model_has_its_format_its_class_and_its_size():
    preview = Preview(size=4_213_000, facts=(("class", "sklearn SVC"), ("format", "skops")))
    assert "model · Model · sklearn SVC · skops · 4.2 MB" in text_of(
        made(model=MODEL), {}, {MODEL.uri: preview}
    )


def test_a_file_that_is_gone_is_named_once():
    preview = Preview(note=f"file not found: {MODEL.uri}")
    assert html_of(made(model=MODEL), {}, {MODEL.uri: preview}).count(MODEL.uri) == 1


def test_an_inputs_preview_is_folded():
    html = html_of(made(inputs={"data": DATA}), {}, {DATA.uri: TABLE})
    assert reading.read(html).tags("details")
    text = text_of(made(inputs={"data": DATA}), {}, {DATA.uri: TABLE})
    assert "Grace" not in text
    assert DATA.uri in text


def test_text_has_as_many_columns_as_a_line_holds():
    wide = Preview(columns=("x" * 40,) * 12, rows=(("some words " * 3,) * 12,))
    shown = drawn(made(data=DATA), {}, {DATA.uri: wide})
    assert max(map(width, shown["text/plain"].splitlines())) <= 100
    assert len(reading.rows(shown["text/html"])[0]) == 12


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (12_345, "12.3 kB"),
        (999_600, "1.0 MB"),
        (569_000_000, "569 MB"),
        (10**16, "10000 TB"),
    ],
)
def test_sizes_are_in_a_unit_that_fits(count, words):
    assert file_size(count) == words


def test_artifacts_with_files_are_marked_for_a_page_that_downloads_them():
    task = samples.full_task()
    marks = re.findall(r'data-kfnb-artifact="([^"]*)"', draw_task(task, samples.CONTENTS)["text/html"])
    assert marks
    for mark in marks:
        found = artifact_of(task, mark)
        assert found is not None
        assert found.type not in ("system.Metrics", "system.ClassificationMetrics")
