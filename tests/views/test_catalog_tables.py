"""Tables of schedules, experiments and uploaded pipelines."""

import pytest
import widget_pages as reading

from kfnb.resources.experiments.model import Experiment
from kfnb.resources.experiments.view import draw_experiments
from kfnb.resources.schedules.model import ScheduleSnapshot
from kfnb.resources.schedules.view import draw_schedules
from kfnb.resources.uploads.model import UploadedPipeline
from kfnb.resources.uploads.view import draw_uploads
from kfnb.ui.words import moment

WHEN = 1_795_500_000.0


def test_schedules_are_a_table_with_their_rhythm_and_state():
    bundle = draw_schedules(
        [
            ScheduleSnapshot("64b37f17-1", "nightly", "churn", cron="0 0 2 * * *", arguments={"rows": 200}),
            ScheduleSnapshot("64b37f17-2", "churn", "churn", every=5400, enabled=False, catch_up=False),
            ScheduleSnapshot("64b37f17-3", "odd", "churn", every=90, status="INVALID_SCHEDULE"),
        ]
    )
    text = bundle["text/plain"].splitlines()
    assert text[0].split() == ["Id", "Name", "Pipeline", "When", "State", "Arguments"]
    assert "0 0 2 * * *" in text[2]
    assert "enabled" in text[2]
    assert "rows = 200" in text[2]
    assert "every 90 min" in text[3]
    assert "paused" in text[3]
    assert "every 90 s" in text[4]
    assert "invalid_schedule" in text[4]
    assert "left out" in bundle["text/html"]


def test_experiments_are_a_table_and_one_without_runs_has_no_last():
    bundle = draw_experiments(
        [Experiment("4b01-1", "e1", "a try", WHEN, WHEN), Experiment("4b01-2", "Default", created=WHEN)]
    )
    assert reading.rows(bundle["text/html"])[1:] == [
        ["e1", "4b01-1", moment(WHEN), "a try"],
        ["Default", "4b01-2", "", ""],
    ]


def test_local_experiments_have_no_id_but_their_name():
    text = draw_experiments([Experiment("e1", "e1", last_run=WHEN)])["text/plain"]
    assert text.splitlines()[0].split() == ["Name", "Last", "run"]


def test_uploads_are_a_table_a_version_in_each_row():
    rows = reading.rows(
        draw_uploads([UploadedPipeline("af18", "churn", "v2", "c069", "<b>x</b>", WHEN)])["text/html"]
    )
    assert rows[1] == ["churn", "v2", moment(WHEN), "c069", "<b>x</b>"]


@pytest.mark.parametrize(
    ("url", "links"),
    [
        ('https://kf.example.com/#/pipelines/details/1?"><script>', 1),
        ("http://kf/", 1),
        ("javascript:alert(1)", 0),
        ("/_/pipeline/", 0),
        ("", 0),
    ],
)
def test_an_upload_leads_to_its_page_if_that_is_of_the_web(url, links):
    page = reading.read(draw_uploads([UploadedPipeline("af18", "<b>churn", url=url)])["text/html"])
    assert [link["href"] for link in page.tags("a")] == [url] * links
    assert page.tags("script") == []
    assert "<b>churn" in page.text


def test_nothing_is_said_to_be_nothing():
    assert draw_schedules([])["text/plain"] == "No schedules yet."
    assert draw_experiments([])["text/plain"] == "No experiments yet."
    assert draw_uploads([])["text/plain"] == "No pipelines were uploaded yet."
