"""What an error carries beside its message, and how programs get it."""

from __future__ import annotations

import ast
import copy
import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest

import kfnb
from kfnb import cli, errors
from kfnb.errors import Code, KfnbError
from kfnb.remote.kubernetes.errors import Expired
from tests.conftest import Shell

ROOT = Path(__file__).parent.parent
CODES = list(get_args(Code))


def sources() -> Iterator[ast.Module]:
    for file in sorted((ROOT / "kfnb").rglob("*.py")):
        yield ast.parse(file.read_text(encoding="utf-8"))


def classes(kind: type[KfnbError] = KfnbError) -> Iterator[type[KfnbError]]:
    """The errors that users meet; those of the way to a server are put into a server's words first."""
    yield kind
    for sub in kind.__subclasses__():
        if sub.__module__ != "kfnb.remote.errors" and not sub.__name__.startswith("_"):
            yield from classes(sub)


def made(kind: type[KfnbError]) -> KfnbError:
    return (
        kind("the sea is dry", hint="look again", ref="sea")
        if kind is not Expired
        else kind("the sea is dry")
    )


# -- codes ----------------------------------------------------------------------------------------------------


def test_the_page_of_errors_explains_every_code_once_and_in_order() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8").partition("## The codes")[2]
    assert re.findall(r"^\| `([a-z-]+)` \| \S", page, re.MULTILINE) == CODES


def test_every_code_is_given_by_a_class_or_a_place_and_no_other_is() -> None:
    given = {
        value.value
        for tree in sources()
        for node in ast.walk(tree)
        for value in _codes(node)
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    }
    assert given == set(CODES)


def _codes(node: ast.AST) -> Iterator[ast.AST]:
    """The values that are given to ``code``: by a keyword, or by an annotated assignment."""
    if isinstance(node, ast.keyword) and node.arg == "code":
        chosen = isinstance(node.value, ast.IfExp)
        yield from (node.value.body, node.value.orelse) if chosen else (node.value,)  # type: ignore[attr-defined]
    if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "Code" and node.value:
        yield from (part for part in ast.walk(node.value) if isinstance(part, ast.Constant))


def test_every_class_has_a_code_of_its_own_meaning() -> None:
    import_module("kfnb.remote.kfp.server")
    import_module("kfnb.resources.runs.downloads")
    assert {kind.code for kind in classes()} <= set(CODES)
    assert [kind for kind in classes() if kind.code == "error"] == [KfnbError]


# -- the sentence and its parts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "hint", "read", "said"),
    [
        ("unknown verb moo", "kfnb --help", "unknown verb moo; kfnb --help", "unknown verb moo"),
        ("the run goes on:", "stop it first", "the run goes on: stop it first", "the run goes on"),
        ("you are unknown (401).", "Log in", "you are unknown (401). Log in", "you are unknown (401)."),
        ("a: b", "", "a: b", "a: b"),
        ("why:", "", "why:", "why:"),
        ("", "look", "look", ""),
        ("", "", "", ""),
    ],
)
def test_an_error_reads_as_its_message_and_its_hint(message: str, hint: str, read: str, said: str) -> None:
    error = KfnbError(message, hint=hint)
    assert (str(error), error.message, error.hint) == (read, said, hint)
    assert error._render_traceback_() == [f"KfnbError: {read}"]


def test_a_place_may_give_another_code_than_the_class() -> None:
    assert errors.UsageError("x").code == "usage"
    assert errors.UsageError("x", code="unknown-verb").code == "unknown-verb"
    assert errors.UsageError.code == "usage"


@pytest.mark.parametrize("kind", list(classes()), ids=lambda kind: kind.__name__)
def test_every_error_survives_pickling_and_copying(kind: type[KfnbError]) -> None:
    error = made(kind)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert (str(again), again.as_dict(), vars(again)) == (str(error), error.as_dict(), vars(error))


def test_an_error_that_says_what_is_forbidden_keeps_that_when_it_is_pickled() -> None:
    hidden = errors.Hidden("no", user="ann", verb="get", resource="secrets", namespace="team")
    again = pickle.loads(pickle.dumps(hidden))
    assert (again.user, again.verb, again.resource, again.namespace) == ("ann", "get", "secrets", "team")
    assert (again.code, again.ref) == ("forbidden", "team/secrets")


def test_an_artifact_that_cannot_be_read_is_an_oserror_with_a_hint() -> None:
    error = errors.Unreadable("s3://x cannot be opened", hint="install s3fs")
    assert isinstance(error, OSError)
    assert (str(error), error.code) == ("s3://x cannot be opened; install s3fs", "unreadable")


@pytest.mark.parametrize(
    ("word", "otherwise", "hint"),
    [
        ("subbmit", "", "did you mean submit?"),
        ("subbmit", "or x", "did you mean submit?; or x"),
        ("q", "or x", "or x"),
    ],
)
def test_an_unknown_word_is_met_with_the_one_that_is_like_it(word: str, otherwise: str, hint: str) -> None:
    assert errors.did_you_mean(word, ["submit", "stop"], otherwise) == hint


# -- in a notebook --------------------------------------------------------------------------------------------


def failure(shell: Shell, source: str) -> KfnbError:
    result = shell.ip.run_cell(source, store_history=True)
    error = result.error_before_exec or result.error_in_exec
    assert isinstance(error, KfnbError), repr(error)
    return error


@pytest.mark.parametrize(
    ("source", "code", "hint", "ref"),
    [
        ("%kf_pipeline p trian", "unknown-component", "did you mean train?", "trian"),
        ("%kf_pipeline p train train", "invalid-pipeline", "use %%kf_pipeline to call a step again", "p"),
        ("%kf_pipeline train train", "invalid-name", "give the pipeline another name", "train"),
        ("%kf_submit chrun", "unknown-pipeline", "did you mean the pipeline churn?", "chrun"),
        ("%kf_submit churn --rats 3", "unknown-argument", "did you mean rate?", "rats"),
        ("%kf_submit churn --rate high", "invalid-argument", "", "rate"),
        ("%kf_submit churn --backend lokal", "unknown-backend", None, "lokal"),
        ("%kf_upload churn", "cluster-required", None, ""),
        ("%kf_schedules show nightly", "not-found", "%kf_schedules lists them", "nightly"),
        ("%kf_runs --limt 3", "unknown-option", "did you mean --limit?; %kf_runs --help shows how", "--limt"),
        ("%kf_runs --state lost", "unknown-state", None, "lost"),
        ("%kf_run nothing", "run-not-found", "", "nothing"),
        ("%kf_study nothing", "study-not-found", None, None),
        ("%kf_config experimen=x", "unknown-setting", "did you mean experiment?", "experimen"),
        ("%kf_config jobs=many", "invalid-setting", "", "jobs"),
    ],
)
def test_an_error_in_a_notebook_has_its_parts(
    shell: Shell, source: str, code: str, hint: str | None, ref: str | None
) -> None:
    shell.run("%%kf_component train --param rate:float=0.1\nmodel = rate * 2")
    shell.run("%kf_pipeline churn train")
    error = failure(shell, source)
    assert error.code == code
    assert hint is None or error.hint == hint
    assert ref is None or error.ref == ref
    assert str(error).endswith(error.hint)


def test_an_error_of_a_cell_says_which_cell_and_line(shell: Shell) -> None:
    error = failure(shell, "%%kf_component train\n\nx = Out[1]")
    assert error.as_dict() == {
        "code": "cannot-capture",
        "message": "cell train [1], line 3: Out is the notebook's history, which a step does not have",
        "hint": "assign the value to a name",
        "ref": "cell train [1], line 3",
    }


def test_a_run_that_failed_says_which(shell: Shell) -> None:
    shell.run("%%kf_component train --param zero:int=1\nx = 1 / zero")
    shell.run("%kf_pipeline p train")
    run = kfnb.submit("p", {"zero": 0})
    with pytest.raises(kfnb.RunFailed) as caught:
        run.wait(60)
    assert (caught.value.code, caught.value.ref) == ("run-failed", run.id)


# -- in a terminal --------------------------------------------------------------------------------------------


def kf(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "KFNB_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "kfnb.cli", *words], env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("words", "exit_code", "code"),
    [
        (["runs", "show", "nothing"], 1, "run-not-found"),
        (["runs", "--state", "lost"], 2, "unknown-state"),
        (["submit", "nothing.yaml"], 2, "file-not-found"),
        (["compare", "--al", "x"], 2, "unknown-option"),
        (["upload", "nothing.yaml"], 2, "cluster-required"),
    ],
)
def test_a_verb_with_json_tells_on_stdout_why_it_failed(
    words: list[str], exit_code: int, code: str, tmp_path: Path
) -> None:
    done = kf(tmp_path, *words, "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"], set(error)) == (
        exit_code,
        code,
        {"code", "message", "hint", "ref"},
    )
    assert error["message"] in done.stderr
    assert error["hint"] in done.stderr
    plain = kf(tmp_path, *words)
    assert (plain.returncode, plain.stdout, plain.stderr) == (exit_code, "", done.stderr)


def test_the_hint_of_a_verb_names_verbs_not_magics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KFNB_HOME", str(tmp_path))
    kfnb.settings.reset()
    assert cli.main(["upload", "--list", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "cluster-required"
    assert "KFNB_CONTEXT=NAME" in error["hint"]
    assert "%kf" not in error["hint"]


def test_an_internal_error_is_told_too_and_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(**_: Any) -> Any:
        raise RuntimeError("it is broken")

    monkeypatch.setattr("kfnb.resources.runs.api.runs", broken)
    with pytest.raises(RuntimeError, match="it is broken"):
        cli.main(["runs", "--json"])
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["message"]) == (
        "internal",
        "internal error in kfnb (RuntimeError: it is broken)",
    )
