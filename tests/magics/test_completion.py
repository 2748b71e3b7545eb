"""Completion of the magics' words."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from IPython.core.completer import provisionalcompleter

from tests.conftest import Shell


def complete(shell: Shell, line: str) -> list[str]:
    with provisionalcompleter():
        return [one.text for one in shell.ip.Completer.completions(line, len(line)) if one.text.strip()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%kf_config exp", ["experiment="]),
        ("%%kf_component x --ou", ["--output"]),
        ("%%kf_component x --to", ["--toleration"]),
        ("%%kf_component x --secret a:b=C --con", ["--config-map"]),
        ("%kf_pipeline p lo", ["load"]),
        ("%kf_submit ch", ["churn"]),
        ("%kf_submit churn --ro", ["--rows"]),
        ("%kf_submit churn --back", ["--backend"]),
        ("%kf_show lo", ["load"]),
        ("%kf_compile churn --py", ["--python"]),
        ("%kf_logs --fo", ["--follow"]),
        ("%kf_runs --st", ["--state"]),
        ("%kf_upload ch", ["churn"]),
        ("%kf_schedule churn --cr", ["--cron"]),
        ("%kf_schedule churn --ro", ["--rows"]),
        ("%kf_delete --y", ["--yes"]),
    ],
)
def test_words_are_completed(shell: Shell, line: str, expected: list[str]) -> None:
    shell.run("%%kf_component load --param rows:int=3\nx = rows")
    shell.run("%kf_pipeline churn load")
    assert set(expected) <= set(complete(shell, line))  # IPython adds Python names of its own


def test_schedules_are_completed_where_a_cluster_can_be_asked(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kfnb import api

    told = [SimpleNamespace(id="64b37f17-e960-4c69")]
    monkeypatch.setattr(api, "schedules", lambda: told)
    assert "64b37f17-e960-4c69" in complete(shell, "%kf_schedule --pause 64")
