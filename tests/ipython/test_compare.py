"""``%kf_compare``: runs of the notebook side by side."""

from __future__ import annotations

import pytest
from IPython.core.completer import provisionalcompleter

from kfnb.entities import Comparison
from tests.conftest import Shell


@pytest.fixture
def two(shell: Shell) -> Shell:
    """A notebook with two runs, bound to the names ``first`` and ``second``."""
    shell.run(
        "%%kf_component fit --param C:float=1.0\n"
        "for step in range(3):\n    kf.log_metrics(step=step, loss=C / (step + 1))\n"
        "done = C"
    )
    shell.run("%kf_pipeline p fit")
    shell.kernel.shell.user_ns["first"] = shell.submit("p", C=1.0)
    shell.kernel.shell.user_ns["second"] = shell.submit("p", C=3.0)
    return shell


def test_runs_are_compared_by_the_names_they_are_bound_to_or_by_their_ids(two: Shell) -> None:
    ids = [two["first"].id, two["second"].id]
    comparison = two.run("%kf_compare first second -o both")
    assert isinstance(comparison, Comparison)
    assert two["both"] is comparison
    assert [run.id for run in comparison.runs] == ids
    assert two.run(f"%kf_compare {ids[0]} {{second.id}} --all").whole


def test_a_comparison_is_displayed_with_the_curves_that_both_have(two: Shell) -> None:
    comparison = two.run("%kf_compare first second")
    bundle, _ = two.ip.display_formatter.format(comparison)
    assert "Argument  A    B\n────────  ───  ───\nC         1.0  3.0" in bundle["text/plain"]
    assert "fit.loss\n  A  █▃▁  1.0 → 0.333333\n  B  █▃▁  3.0 → 1.0" in bundle["text/plain"]
    assert "fit.loss  0.333333  1.0  +0.6667" in bundle["text/plain"]
    assert "<svg" in bundle["text/html"]


def test_the_table_of_runs_has_their_metrics(two: Shell) -> None:
    runs = two.run("%kf_runs")
    assert [run.metrics for run in runs] == [{"fit.loss": 1.0}, {"fit.loss": pytest.approx(1 / 3)}]
    assert (
        "fit.loss\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.3333"
        in two.ip.display_formatter.format(runs)[0]["text/html"]
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "the following arguments are required: RUN"),
        ("first", "give two or more runs to compare"),
        ("first first", "give two or more runs to compare"),
        ("first nothing", "unknown run nothing"),
        ("first second --al", "unknown option --al; did you mean --all?"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(two: Shell, words: str, told: str) -> None:
    message = two.fails(f"%kf_compare {words}")
    assert told in message
    assert len(message.splitlines()) == 1


def test_the_ids_of_runs_are_completed(two: Shell) -> None:
    line = f"%kf_compare {two['first'].id[:6]}"
    with provisionalcompleter():
        found = {one.text for one in two.ip.Completer.completions(line, len(line))}
    assert {two["first"].id, two["second"].id} <= found
