"""A seed makes the random numbers of each step the same: in the kernel, in a run here and in a pod."""

import random
import sys

import pytest

from kfnb.resources.components import api as components_api
from tests.pipeline.launched import launch

DRAW = "drawn = [random.random(), float(np.random.rand())]"
HASH = "hashed = [hash(text) % 1000 for text in 'abcdefgh']"


@pytest.fixture
def notebook(shell):
    shell.run("import random\nimport numpy as np")
    return shell


def draw(notebook, *, options="", body=DRAW):
    notebook.run(f"%%kf_component draw --output drawn {options}\n{body}")
    notebook.run("%kf_pipeline p draw")


def drawn(run):
    return run.outputs["draw"]["drawn"]


def test_with_a_seed_runs_and_the_kernel_draw_the_same_numbers(notebook):
    notebook.run("%kf_config seed=7 cache=false")
    draw(notebook)
    here = notebook["drawn"]
    assert drawn(notebook.submit("p")) == drawn(notebook.submit("p")) == here == _expected(7)


def test_a_component_has_a_seed_of_its_own(notebook):
    notebook.run("%kf_config seed=7")
    draw(notebook, options="--seed 3")
    assert drawn(notebook.submit("p")) == notebook["drawn"] == _expected(3)


def test_a_seed_may_be_given_when_a_pipeline_is_submitted(notebook, capsys):
    draw(notebook)
    notebook.run("%kf_submit p --seed 5 -o run")
    assert drawn(notebook["run"]) == _expected(5)


def test_a_parameter_of_the_pipeline_that_is_called_seed_stays_one(notebook):
    draw(notebook, options="--param seed:int=1", body="drawn = [seed]")
    notebook.run("%kf_submit p --seed 5 -o run")
    assert drawn(notebook["run"]) == [5]


def test_without_a_seed_nothing_is_seeded(notebook):
    draw(notebook)
    (step,) = components_api.built("p").steps
    assert "kfnb_seed" not in step.text
    assert "PYTHONHASHSEED" not in components_api.built("p").program


def test_another_seed_is_another_step_for_the_cache(notebook):
    notebook.run("%kf_config seed=1")
    draw(notebook)
    notebook.submit("p")
    assert notebook.submit("p").tasks["draw"].cached
    notebook.run("%kf_config seed=2")
    again = notebook.submit("p")
    assert not again.tasks["draw"].cached
    assert drawn(again) == _expected(2)


def test_the_hashes_of_texts_are_the_same_in_each_run(notebook):
    notebook.run("%kf_config seed=0 cache=false")
    notebook.run(f"%%kf_component draw --output hashed\n{HASH}")
    notebook.run("%kf_pipeline p draw")
    runs = [notebook.submit("p").outputs["draw"]["hashed"] for _ in range(2)]
    assert runs[0] == runs[1]


def test_a_library_that_the_step_itself_imports_is_seeded(notebook, tmp_path):
    notebook.run("%kf_config seed=7")
    draw(
        notebook,
        body="import numpy.random as late\nimport random as again\ndrawn = [again.random(), float(late.rand())]",
    )
    done = launch("p", "draw", tmp_path)
    assert done.parameters["drawn"] == _expected(7), done.log


def test_each_attempt_of_a_step_starts_from_the_seed(notebook, tmp_path_factory):
    once = tmp_path_factory.mktemp("marks") / "once"
    notebook.run("%kf_config seed=7\nfrom pathlib import Path")
    body = f"{DRAW}\nif Path({str(once)!r}).exists():\n    Path({str(once)!r}).unlink()\n    raise ValueError"
    draw(notebook, options="--retries 1", body=body)
    once.touch()
    run = notebook.submit("p")
    assert drawn(run) == _expected(7)
    assert run.tasks["draw"].attempts == 2


def test_the_kernel_seeds_no_library_after_the_cell(notebook):
    before = list(sys.meta_path)
    notebook.run("%kf_config seed=7")
    draw(notebook)
    assert sys.meta_path == before


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("rng = np.random.default_rng()\ndrawn = [rng.random()]", "np.random.default_rng()"),
        ("drawn = [random.Random(None).random()]", "random.Random()"),
        ("import uuid\ndrawn = [str(uuid.uuid4())]", "uuid.uuid4(), which draws from the operating system"),
        ("import os\ndrawn = list(os.urandom(2))", "os.urandom(), which draws from the operating system"),
    ],
)
def test_a_run_says_which_randomness_is_not_seeded(notebook, body, named):
    notebook.run("import uuid, os")
    notebook.run("%kf_config seed=7")
    draw(notebook, body=body)
    (note,) = notebook.submit("p").snapshot().notes
    assert note.startswith("draw: the seed does not reach ")
    assert named in note


def test_a_generator_with_a_seed_of_its_own_is_not_named(notebook):
    notebook.run("%kf_config seed=7")
    draw(notebook, body="drawn = [np.random.default_rng(3).random(), random.Random(3).random()]")
    assert notebook.submit("p").snapshot().notes == ()


def test_a_seeded_component_is_not_said_to_draw_without_a_seed(notebook, capsys):
    notebook.run("%kf_config seed=7")
    draw(notebook)
    assert "without a seed" not in "".join(notebook.component("draw").notes)
    assert notebook.component("draw").options.seed is None  # another setting seeds it anew


def test_a_seed_is_a_number_that_all_generators_take(notebook):
    assert "seed must be a number" in notebook.fails("%kf_config seed=-1")
    assert "from 0 to 4294967295" in notebook.fails("%%kf_component c --seed 4294967296\nx = 1")
    assert "seed must be a number" in notebook.fails("%kf_config seed=much")
    notebook.run("%kf_config seed=3")
    notebook.run("%kf_config seed=")
    draw(notebook)
    assert "kfnb_seed" not in components_api.built("p").program


def _expected(seed):
    import numpy as np

    return [random.Random(seed).random(), float(np.random.RandomState(seed).rand())]
