"""``kf.check``: a table against a schema in the cell, in a run, and in a pod's step without kfnb."""

from __future__ import annotations

from pathlib import Path

import pytest

import kfnb
from kfnb.errors import RunFailed
from tests.conftest import Shell

SCHEMA = """\
rows: 2
columns:
  age: {type: integer, nulls: 0, range: [18, 99]}
  plan: {values: [basic, plus], level: warn}
"""
LOAD = (
    "%%kf_component load --param oldest:int=50\nimport pandas as pd\n"
    "df = pd.DataFrame({'age': [20, 30, oldest], 'plan': ['basic', 'plus', 'gold']})"
)
CHECK = "%%kf_component validate\nkf.check(df, 'churn.schema.yaml')"


@pytest.fixture
def written(shell: Shell) -> Path:
    file = Path("churn.schema.yaml")
    file.write_text(SCHEMA)
    return file


def test_the_report_is_shown_in_the_cell(
    shell: Shell, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("kfnb.capture.kf._display", shown.append)
    shell.run(LOAD)
    shell.run(CHECK)
    [bundle] = shown
    assert bundle["text/plain"].startswith(
        f"check against {written}: 5 passed, 1 warned\n  warn: plan values"
    )
    assert "[row 2: gold]" in bundle["text/plain"]
    assert "row 2: gold" in bundle["text/html"]


def test_a_table_that_fails_is_one_short_error_after_the_report(
    shell: Shell, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("kfnb.capture.kf._display", shown.append)
    shell.run("import pandas as pd\ndf = pd.DataFrame({'age': [200, 201], 'plan': ['basic', 'plus']})")
    told = shell.fails("from kfnb.capture.kf import Kf\nKf().check(df, 'churn.schema.yaml')")
    assert told == (
        f"1 of 6 checks of {written} failed: age range: 200 to 201, 100% outside (limit: 18 to 99)"
    )
    assert len(shown) == 1


def test_a_schema_that_does_not_exist_says_how_to_make_one(shell: Shell) -> None:
    shell.run(LOAD)
    told = shell.fails("%%kf_component validate\nkf.check(df, 'none.yaml')")
    assert told.startswith(
        "kf.check: the schema none.yaml does not exist; kfnb.infer_schema(data, 'none.yaml')"
    )


def test_a_run_has_the_report_and_fails_by_it(shell: Shell, written: Path) -> None:
    shell.run(LOAD)
    shell.run(CHECK)
    shell.run("%kf_pipeline p load validate")
    run = shell.submit("p")
    with run.artifacts["validate"]["kf_html"].open("r") as file:
        page = file.read()
    assert "5 passed, 1 warned" in page
    with pytest.raises(RunFailed, match=r"1 of 6 checks of churn.schema.yaml failed: age range"):
        shell.submit("p", oldest=300)


def test_a_pods_step_checks_without_kfnb(shell: Shell, written: Path, tmp_path: Path) -> None:
    """The schema's file travels with the step, as each file that a cell reads does."""
    from tests.pipeline.launched import launch

    shell.run(
        "%%kf_component validate\nimport pandas as pd\n"
        "df = pd.DataFrame({'age': [20, 30], 'plan': ['basic', 'gold']})\nkf.check(df, 'churn.schema.yaml')"
    )
    shell.run("%kf_pipeline p validate")
    launched = launch("p", "validate", tmp_path)
    assert launched.code == 0, launched.log
    assert "plan values" in launched.log
    assert "5 passed, 1 warned" in (tmp_path / "artifacts" / "kf_html").read_text()


def test_a_step_installs_what_a_check_needs(shell: Shell, written: Path, tmp_path: Path) -> None:
    shell.run(LOAD)
    shell.run(CHECK)
    shell.run("%kf_pipeline p load validate")
    spec = tmp_path / "p.yaml"
    kfnb.compile("p", str(spec))
    text = spec.read_text().lower()
    assert "pyyaml==" in text
    assert "numpy==" in text


def test_the_schema_is_written_by_a_command(shell: Shell) -> None:
    shell.run("import pandas as pd\ndf = pd.DataFrame({'age': range(100)})\n%kf_data add churn df")
    shell.run("%kf_data schema churn@1")
    assert "age:" in Path("churn.schema.yaml").read_text()
    shell.run("%kf_data schema df")
    assert Path("df.schema.yaml").exists()
    shell.run("from kfnb.capture.kf import Kf\nKf().check(df, 'churn.schema.yaml')")
    assert "churn.schema.yaml exists already" in shell.fails("%kf_data schema churn@1")
    assert kfnb.infer_schema("churn@1", "again.yaml") == Path("again.yaml")
    assert "needs a path" in shell.fails("import kfnb\nkfnb.infer_schema(df)")
