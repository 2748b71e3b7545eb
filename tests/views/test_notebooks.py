"""How notebooks on the cluster are drawn."""

from dataclasses import replace

import pytest

from kfnb.resources.cluster.model import Knowledge, StatusItem
from kfnb.resources.notebooks.model import DryRun, Mount, Notebook, NotebookList, NotebookState
from kfnb.resources.notebooks.view import draw_dry_run, draw_notebook, draw_notebooks

ONE = Notebook(
    "churn-eda",
    NotebookState.RUNNING,
    namespace="team-a",
    since=1795458537.0,
    image="registry.example/notebooks/jupyter-scipy:v1.10.0",
    cpu="500m",
    memory="1Gi",
    gpus=((2, "nvidia.com/gpu"),),
    mounts=(Mount("churn-eda-workspace", "/home/jovyan"),),
    last_activity=1795456739.0,
)
EVIL = "<script>alert(1)</script>"


def listed(*notebooks):
    return NotebookList(
        "team-a", StatusItem(Knowledge.KNOWN, notebooks), StatusItem(Knowledge.ABSENT, reason="none")
    )


@pytest.mark.parametrize("state", NotebookState)
def test_every_state_has_its_word_in_text_and_html(state):
    drawn = draw_notebooks(listed(replace(ONE, state=state)))
    assert str(state) in drawn["text/plain"]
    assert str(state) in drawn["text/html"]


def test_a_list_fits_a_terminal():
    long = replace(ONE, name="a" * 52, state=NotebookState.FAILING, why="no node has room " * 20)
    text = draw_notebooks(listed(ONE, long))["text/plain"]
    assert max(map(len, text.splitlines())) <= 100
    assert "does not start" in text


def test_volumes_and_the_whole_image_are_in_the_html():
    html = draw_notebooks(listed(ONE))["text/html"]
    assert "churn-eda-workspace at /home/jovyan" in html
    assert "registry.example/notebooks/" in html


def test_a_kind_that_a_cluster_does_not_have_is_not_spoken_of():
    assert "orkspaces" not in draw_notebooks(listed(ONE))["text/plain"]
    assert "No notebooks yet" in draw_notebooks(listed())["text/plain"]


def test_a_cluster_without_notebooks_is_not_told_how_one_is_made():
    absent = StatusItem(Knowledge.ABSENT, reason="no such kind")
    text = draw_notebooks(NotebookList("team-a", absent, absent))["text/plain"]
    assert "has no notebooks" in text
    assert "create" not in text


def test_the_notebook_that_one_is_in_is_marked():
    assert "churn-eda (here)" in draw_notebooks(listed(replace(ONE, here=True)))["text/plain"]


def test_one_notebook_says_what_it_has():
    text = draw_notebook(ONE)["text/plain"]
    for fact in (
        "running",
        "CPU 500m",
        "memory 1Gi",
        "nvidia.com/gpu",
        "churn-eda-workspace",
        "last activity",
    ):
        assert fact in text


def test_a_dry_run_shows_what_would_be_created_and_whether_it_would():
    good = draw_dry_run(DryRun("kind: Notebook\n", accepted=True, message="fine"))["text/plain"]
    bad = draw_dry_run(DryRun("kind: Notebook\n", accepted=False, message="not so"))["text/plain"]
    assert "Accepted" in good
    assert "refuses it\nnot so" in bad
    assert all("kind: Notebook" in text for text in (good, bad))


def test_what_a_cluster_says_is_escaped():
    evil = Notebook(
        EVIL,
        NotebookState.FAILING,
        namespace=EVIL,
        why=EVIL,
        image=EVIL,
        cpu=EVIL,
        gpus=((1, EVIL),),
        mounts=(Mount(EVIL, EVIL),),
        creator=EVIL,
    )
    drawn = [
        draw_notebooks(
            NotebookList(
                EVIL, StatusItem(Knowledge.KNOWN, (evil,)), StatusItem(Knowledge.HIDDEN, reason=EVIL)
            )
        ),
        draw_notebook(evil),
        draw_dry_run(DryRun(EVIL, accepted=False, message=EVIL)),
    ]
    assert not any("<script" in one["text/html"] for one in drawn)
