"""What kfnb logs, who sees it, where it is kept, and that no secret is in it."""

from __future__ import annotations

import ast
import json
import logging
import os
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import kfnb
from kfnb import cli, diagnostics, settings
from kfnb.commands.shell.commands import answers
from kfnb.diagnostics import LogList, LogWriter, hide, log_file, logger, redact
from kfnb.errors import KfnbError
from tests.conftest import Shell

ROOT = Path(__file__).parent.parent
CANARY = "canary-5f1d0c9b7a"
LOG = logger("kfnb.tests")


@pytest.fixture
def quiet() -> Iterator[None]:
    """Nothing that a test shows, hides or writes stays."""
    known, diagnostics._secrets = diagnostics._secrets, set()
    yield
    diagnostics._secrets = known
    diagnostics.show("", on=False)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quiet: None) -> Path:
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    settings.reset()
    return tmp_path / "home"


# -- no broad handler is silent -------------------------------------------------------------------------------

SILENT = {
    "kfnb.jobs.child:finish": "prints the traceback into the log of what the process did",
    "kfnb.resources.runs.local.runner:guarded": "a step's own failure, which is described whole in its file",
    "kfnb.resources.runs.local.runner:record": "a step has no kfnb that could log; what it ran on is unknown then",
    "kfnb.resources.runs.local.runner:_message": "a step's own error, whose message says that it cannot be shown",
    "kfnb.resources.studies.local.worker:Worker.trial": "a trial's own failure, which is described whole in its answer",
    "kfnb.resources.studies.local.trial_log:flush": "what a trial has put in the place of its own streams",
    "kfnb.capture.embedded.layers:kfnb_layers.add": "a fact that cannot be read is hidden, and the manifest says why",
    "kfnb.resources.provenance.closeness:_of_objects": "what cannot be compared is as far as can be",
    "kfnb.capture.embedded.figures:kfnb_still": "a step has no kfnb that could log; the next format is tried",
    "kfnb.capture.embedded.model_facts:kfnb_signature": "raises a TypeError that says what the model says",
    "kfnb.capture.embedded.models:kfnb_write_skops": "raises a TypeError that says what skops says",
    "kfnb.capture.embedded.communicators:kfnb_join_xgboost.Tracker.__del__": "a tracker that ended is not freed again",
    "kfnb.capture.embedded.names:kfnb_kept": "why a value cannot leave the training is a note below its cell",
    "kfnb.capture.embedded.names:kfnb_kept_together": "the values are then kept one by one, each with its own note",
    "kfnb.capture.embedded.names:kfnb_parts": "what cannot be pickled has no parts; keeping it makes the note",
    "kfnb.capture.embedded.reports:kfnb_number": "raises a ValueError that names the metric",
    "kfnb.capture.embedded.row_by_row:kfnb_checked_transform": "what a transform raises is the remark of its check",
    "kfnb.capture.embedded.row_by_row:kfnb_remark": "what a transform raises of a row is the remark of its check",
    "kfnb.capture.embedded.row_by_row:kfnb_unused": "a transform that fails without a column needs the column",
    "kfnb.capture.embedded.samples:kfnb_write_sample": "a remark of the model says what is not kept",
    "kfnb.capture.embedded.states:kfnb_carry": "a step has no kfnb that could log; the value is pickled",
    "kfnb.capture.embedded.states:kfnb_put_table": "a step has no kfnb that could log; the next format is tried",
    "kfnb.capture.embedded.transform_files:kfnb_describe_raw": "raises what says why the transform cannot be kept",
    "kfnb.capture.embedded.transforms:kfnb_given": "a step has no kfnb that could log; the transform has no rows",
    "kfnb.capture.transforms:_run": "the user's own code, whose error is raised with its cell and line",
    "kfnb.capture.embedded.values:kfnb_save": "a step has no kfnb that could log; the value is pickled",
    "kfnb.capture.variables:_notify": "inside the user's own look at the environment, which logging would do too",
    "kfnb.capture.audit:_report": "inside the user's own opening of a file, which logging would do too",
    "kfnb.compat:hang_up": "hangs up a connection that may have ended by itself",
    "kfnb.server.batching:Batcher._outcomes": "the error becomes the answer of the request whose rows raise it",
    "kfnb.server.parity:_empty": "what a transform raises is in the report of the check",
    "kfnb.server.parity:_replay": "what a model raises is in the report of the check",
    "kfnb.server.parity:_transform_checks": "what a transform raises is in the report of the check",
    "kfnb.server.parity:_transform_checks.compared": "what a transform raises is in the report of the check",
    "kfnb.server.predictor:Predictor._run": "raises a ModelFailed, which is logged where it is answered",
    "kfnb.server.predictor:_features.features": "raises a ModelFailed, which is logged where it is answered",
    "kfnb.resources.training.names:take_back": "why a value cannot leave the training is a note below its cell",
    "kfnb.resources.training.trainer.pod_program:main": "a pod has no kfnb that could log; the reason is reported",
    "kfnb.resources.training.trainer.pod_store:Checkpoints.keep": "a pod has no kfnb that could log; it is printed",
    "kfnb.resources.runs.view.task:_written": "a value's own repr; the value is shown shortened",
}
"""The handlers that neither log nor raise, and why."""

LEVELS = {"debug", "info", "warning", "error", "exception"}


def broad(node: ast.AST) -> bool:
    """Whether a node catches all exceptions: a handler of ``Exception``, or ``suppress(Exception)``."""
    if isinstance(node, ast.ExceptHandler):
        caught = [node.type] if node.type else []
        names = {ast.unparse(one) for one in caught for one in (getattr(one, "elts", None) or [one])}
        return not caught or bool(names & {"Exception", "BaseException"})
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
        return bool({ast.unparse(argument) for argument in node.args} & {"Exception", "BaseException"})
    return False


def speaks(node: ast.AST) -> bool:
    """Whether a handler logs, in the server of a model by ``report``, or raises what it caught again."""
    parts = list(ast.walk(node))
    called = {ast.unparse(part.func) for part in parts if isinstance(part, ast.Call)}
    again = any(isinstance(part, ast.Raise) and part.exc is None for part in parts)
    return again or bool(called & {*(f"_logger.{level}" for level in LEVELS), "report"})


def handlers(node: ast.AST, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ast.AST]]:
    """Each broad handler below ``node``, with the class and the function that it is in."""
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if broad(child):
            yield ".".join(place), child
        yield from handlers(child, (*place, child.name) if named else place)  # type: ignore[attr-defined]


def all_handlers() -> Iterator[tuple[str, ast.AST]]:
    for file in sorted((ROOT / "kfnb").rglob("*.py")):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for place, node in handlers(ast.parse(file.read_text(encoding="utf-8"))):
            yield f"{module}:{place}", node


def test_no_broad_handler_is_silent() -> None:
    found = list(all_handlers())
    silent = {place for place, node in found if not speaks(node)}
    assert len(found) > 30
    assert silent == set(SILENT)


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        ("try: f()\nexcept Exception: pass", False),
        ("try: f()\nexcept: pass", False),
        ("try: f()\nexcept (OSError, Exception): pass", False),
        ("try: f()\nexcept Exception as e: raise E(e) from None", False),
        ("with suppress(Exception): f()", False),
        ("with contextlib.suppress(OSError, BaseException): f()", False),
        ("try: f()\nexcept BaseException:\n    g()\n    raise", True),
        ("try: f()\nexcept Exception: _logger.debug('no', exc_info=True)", True),
    ],
)
def test_the_walk_knows_a_silent_handler_from_one_that_is_heard(body: str, heard: bool) -> None:
    ((_, node),) = handlers(ast.parse(f"def one():\n{textwrap.indent(body, '    ')}"))
    assert speaks(node) is heard


def test_a_narrow_handler_is_no_broad_one() -> None:
    assert list(handlers(ast.parse("try: f()\nexcept OSError: pass\nwith suppress(KeyError): f()"))) == []


def test_every_logger_of_kfnb_takes_secrets_out() -> None:
    for file in sorted((ROOT / "kfnb").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if file.name != "diagnostics.py":
            assert "getLogger(__" not in text, file
            assert 'getLogger("kfnb' not in text, file


# -- nothing is printed by default ----------------------------------------------------------------------------

WARNS = """
import sys
from kfnb.diagnostics import logger
try:
    1 / 0
except ZeroDivisionError:
    logger("kfnb.tests").warning("It is broken.", exc_info=True)
"""


def python(program: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )


def test_nothing_is_printed_by_default() -> None:
    done = python(WARNS)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_program_that_sets_up_logging_gets_kfnbs_records_too() -> None:
    done = python(f"import logging\nlogging.basicConfig()\n{WARNS}")
    assert "WARNING:kfnb.tests:It is broken." in done.stderr
    assert "ZeroDivisionError" in done.stderr


def test_a_completion_that_fails_is_logged_and_offers_nothing(
    home: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG, "kfnb")
    monkeypatch.setattr("kfnb.commands.completion.expected", lambda *_: 1 / 0)
    assert answers("kfnb runs --") == []
    assert [record.name for record in caplog.records] == ["kfnb.commands"]
    assert "No words can be offered here." in caplog.text
    assert "ZeroDivisionError" in caplog.text


# -- debug=true -----------------------------------------------------------------------------------------------


def test_debug_shows_what_is_logged_and_keeps_it_in_the_home(
    shell: Shell, tmp_path: Path, quiet: None, capsys: pytest.CaptureFixture[str]
) -> None:
    file = log_file(str(tmp_path / "kfnb-home"))
    LOG.warning("Before.")
    shell.run("%kf_config debug=true")
    assert not file.exists()
    LOG.debug("It is %s.", "looked at")
    shell.run("%kf_config debug=false")
    LOG.warning("After.")
    assert capsys.readouterr().err == "DEBUG kfnb.tests: It is looked at.\n"
    assert f"DEBUG kfnb.tests [{os.getpid()}]: It is looked at." in file.read_text()
    assert len(file.read_text().splitlines()) == 1


def test_an_internal_error_of_a_magic_is_in_the_log_with_its_traceback(
    shell: Shell, tmp_path: Path, quiet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kfnb.resources.runs.api.runs", lambda **_: 1 / 0)
    shell.run("%kf_config debug=true")
    assert "ZeroDivisionError" in shell.fails("%kf_runs")
    text = log_file(str(tmp_path / "kfnb-home")).read_text()
    assert "WARNING kfnb.ipython" in text
    assert "An internal error in %kf_runs." in text
    assert "Traceback (most recent call last)" in text
    assert "ZeroDivisionError: division by zero" in text


def test_the_log_is_its_users_alone(home: Path) -> None:
    settings.settings().set("debug", "true")
    LOG.debug("x")
    assert stat.S_IMODE(log_file(str(home)).stat().st_mode) == 0o600
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (log_file(str(home)).parent, home)] == [
        0o700,
        0o700,
    ]


def test_a_traceback_that_debug_shows_has_no_secret(home: Path) -> None:
    settings.settings().set("token", CANARY)
    settings.settings().set("debug", "true")
    (text,) = KfnbError(f"refused {CANARY}")._render_traceback_()
    assert "refused ***" in text
    assert CANARY not in text


def test_the_log_follows_the_setting_home(home: Path, tmp_path: Path) -> None:
    settings.settings().set("debug", "true")
    settings.settings().set("home", str(tmp_path / "other"))
    LOG.debug("x")
    assert not home.exists()
    assert log_file(str(tmp_path / "other")).exists()


def test_a_full_log_is_put_aside_and_two_of_them_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "kfnb.log"
    writer = LogWriter(file, 1000)
    for number in range(100):
        writer.handle(
            logging.makeLogRecord({"msg": f"{number} {'x' * 200}", "name": "kfnb", "levelname": "DEBUG"})
        )
    assert sorted(one.name for one in file.parent.iterdir()) == ["kfnb.log", "kfnb.log.1", "kfnb.log.2"]
    assert all(one.stat().st_size < 1300 for one in file.parent.iterdir())
    text = "".join((file.parent / name).read_text() for name in ("kfnb.log.2", "kfnb.log.1", "kfnb.log"))
    numbers = [int(line.split("]: ")[1].split()[0]) for line in text.splitlines()]
    assert numbers == list(range(numbers[0], 100))


def test_processes_that_write_at_once_lose_no_line(tmp_path: Path) -> None:
    program = (
        "import sys; from kfnb import diagnostics\n"
        f"diagnostics.show({str(tmp_path)!r}, on=True)\n"
        "for n in range(200): diagnostics.logger('kfnb.tests').debug('%s %s', sys.argv[1], n)\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program, name], stderr=subprocess.DEVNULL) for name in "abc"
    ]
    assert [one.wait() for one in writers] == [0, 0, 0]
    lines = log_file(str(tmp_path)).read_text().splitlines()
    said = [line.split("]: ")[1] for line in lines]
    assert sorted(said) == sorted(f"{name} {number}" for name in "abc" for number in range(200))


def test_a_log_that_cannot_be_written_is_told_once_and_stops_nothing(
    tmp_path: Path, quiet: None, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    diagnostics.show(str(tmp_path / "file"), on=True)
    LOG.debug("one")
    LOG.debug("two")
    err = capsys.readouterr().err
    assert err.count("cannot be written") == 1
    assert "DEBUG kfnb.tests: two" in err


# -- what drives a run ----------------------------------------------------------------------------------------


def test_what_drives_a_run_logs_into_the_runs_own_folder(shell: Shell, tmp_path: Path) -> None:
    shell.run("%%kf_component train --param zero:int=1\nx = 1 / zero")
    shell.run("%kf_pipeline p train")
    run = kfnb.submit("p", {"zero": 0})
    with pytest.raises(kfnb.RunFailed):
        run.wait(60)
    folder = tmp_path / "kfnb-home" / "runs" / run.id
    assert LogList.find(str(tmp_path / "kfnb-home")).files == ()
    (folder / "spec.json").write_text('{"pipelineInfo": {"name": "p"}, "root": 5}')  # what nothing expects
    with pytest.raises(kfnb.RunFailed, match=r"supervisor\.log"):
        run.retry().wait(60)
    (found,) = LogList.find(str(tmp_path / "kfnb-home")).files
    assert found.path == str(folder / "supervisor.log")
    assert found.lines[-1] == "TypeError: argument of type 'int' is not iterable"
    text = (folder / "supervisor.log").read_text()
    assert "ERROR kfnb." in text
    assert "Traceback (most recent call last)" in text


# -- kfnb doctor --logs ---------------------------------------------------------------------------------------


def kf(home: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kfnb.cli", *words],
        env={**os.environ, "KFNB_HOME": str(home), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_doctor_shows_where_the_logs_are_and_their_last_lines(home: Path) -> None:
    folder = home / "runs" / "261124-063723-412k"
    folder.mkdir(parents=True)
    (folder / "supervisor.log").write_text("".join(f"line {number}\n" for number in range(50)))
    (home / "runs" / "261124-063723-413k").mkdir()
    (home / "runs" / "261124-063723-413k" / "supervisor.log").touch()
    done = kf(home, "doctor", "--logs")
    first, second, *lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert first.startswith(f"{home}/logs/kfnb.log: not written yet; KFNB_DEBUG=true keeps a log there")
    assert second.startswith(f"{folder}/supervisor.log (390 bytes, ")
    assert lines == [f"  line {number}" for number in range(30, 50)]


def test_doctor_prints_the_logs_as_json(home: Path) -> None:
    debug = kf(home, "runs", KFNB_DEBUG="true")
    assert debug.returncode == 0
    LogWriter(log_file(str(home))).handle(logging.makeLogRecord({"msg": "hello", "name": "kfnb"}))
    (one,) = json.loads(kf(home, "doctor", "--logs", "--json").stdout)
    assert set(one) == {"path", "size", "modified", "lines"}
    assert one["path"] == str(log_file(str(home)))
    assert one["lines"][-1].endswith("hello")


def test_doctor_takes_out_what_another_program_wrote_into_a_log(home: Path) -> None:
    folder = home / "runs" / "261124-063723-412k"
    folder.mkdir(parents=True)
    (folder / "supervisor.log").write_text(f"a library said: token={CANARY}\nand {CANARY}\nand \x1b[31mred\n")
    done = kf(home, "doctor", "--logs", KFNB_TOKEN=CANARY)
    assert "a library said: token=***\n  and ***\n  and red" in done.stdout
    assert CANARY not in done.stdout + kf(home, "doctor", "--logs", "--json", KFNB_TOKEN=CANARY).stdout


def test_a_tab_offers_the_logs() -> None:
    assert answers("kfnb doctor --lo") == ["--logs"]


# -- secrets --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "without"),
    [
        (f"Authorization: Bearer {CANARY}", "Authorization: ***"),
        (f"{{'authorization': 'Basic {CANARY}'}}", "{'authorization': '***'}"),
        (f"Cookie: a={CANARY}; b={CANARY}", "Cookie: ***"),
        (f"sent with bearer {CANARY}", "sent with bearer ***"),
        (f"id-token: {CANARY}", "id-token: ***"),
        (f'{{"token": "{CANARY} {CANARY}", "a": 1}}', '{"token": ***, "a": 1}'),
        (f"https://ann:{CANARY}@host/x", "https://***@host/x"),
        (f"https://host/x?X-Amz-Signature={CANARY}&y=1", "https://host/x?X-Amz-Signature=***&y=1"),
        (f"client-key-data: {CANARY}", "client-key-data: ***"),
        (f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----", "***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "***"),
        ("ghp_0123456789abcdefghij", "***"),
        ("cannot read the token from /a/token.txt: No such file", None),
        ("token_file=/home/ann/token.txt", None),
        ("a monkey: 3 keys, no secrets", None),
        ('  File "/x/secret_store.py", line 3, in find', None),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str, without: str | None, quiet: None) -> None:
    assert redact(text) == (text if without is None else without)


@pytest.mark.parametrize(
    "text", ["x", "token ", "token: ", "eyJ", "a.b-", "secret=", "https://", "'", "bearer "]
)
def test_a_long_text_is_looked_through_at_once(text: str, quiet: None) -> None:
    began = time.process_time()
    redact(text * (200_000 // len(text)))
    assert time.process_time() - began < 2


def test_the_values_of_secret_variables_are_taken_out_and_paths_are_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quiet: None
) -> None:
    monkeypatch.setenv("DB_PASSWORD", CANARY)
    monkeypatch.setenv("KFNB_TOKEN_FILE", str(tmp_path))
    monkeypatch.setenv("STAGE", "production")
    assert redact(f"{CANARY} {tmp_path} production") == f"*** {tmp_path} production"


def test_a_hidden_secret_is_taken_out_quoted_too_and_a_short_one_stays(quiet: None) -> None:
    hide("a/secret word")
    hide("abc")
    assert redact("a/secret word, a%2Fsecret%20word, abc") == "***, ***, abc"


@pytest.fixture
def other() -> Iterator[list[str]]:
    """A handler of another library, which sees all that a record has."""
    seen: list[str] = []

    class Other(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(repr(vars(record)) + self.format(record))

    handler, root = Other(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield seen
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("name", ["token", "cookies", "token_file"])
def test_no_secret_of_a_setting_reaches_any_log(
    name: str, home: Path, tmp_path: Path, other: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from kfnb.remote.credentials import Credentials

    if name == "token_file":
        (tmp_path / "t").write_text(CANARY)
        Credentials(file=tmp_path / "t").headers()
    else:
        settings.settings().set(name, f"session={CANARY}; x=1" if name == "cookies" else CANARY)
    settings.settings().set("debug", "true")
    try:
        {}[f"refused {CANARY}"]
    except KeyError as error:
        LOG.warning("%s was refused: %s.", CANARY, error, exc_info=True)
    text = log_file(str(home)).read_text()
    assert "KeyError: 'refused ***'" in text
    assert CANARY not in text + capsys.readouterr().err + "".join(other)
    assert len(other) == 1


def test_no_secret_of_a_kubeconfig_reaches_any_log(
    tmp_path: Path, home: Path, other: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from kfnb.errors import BackendError
    from kfnb.remote.kubernetes import kubeconfig

    file = tmp_path / "config"
    file.write_text(f"apiVersion: v1\nusers:\n- name: u\n  user: {{token: {CANARY}, x: [}}\n")
    monkeypatch.setenv("KUBECONFIG", str(file))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
    settings.settings().set("debug", "true")
    assert kubeconfig.contexts() == ()
    with pytest.raises(BackendError):
        kubeconfig.chosen("moon")
    with pytest.raises(BackendError):
        kubeconfig.configuration("moon")
    text = log_file(str(home)).read_text()
    assert text.count("kfnb.remote.kubernetes") >= 3
    assert "ParserError" in text or "ConfigException" in text
    assert CANARY not in text + "".join(other)


def test_no_secret_of_a_component_reaches_any_log(
    shell: Shell, tmp_path: Path, quiet: None, other: list[str]
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "db.env").write_text(f"password={CANARY}\n")
    shell.run(f"%kf_config secrets={tmp_path / 'secrets'} debug=true")
    shell.run(
        "%%kf_component train --secret db:password=PASSWORD\nimport os\nx = len(os.environ['PASSWORD'])"
    )
    LOG.warning("It is %s.", CANARY)
    assert "It is ***." in "".join(other)
    assert CANARY not in "".join(other)


def test_doctor_is_told_of_in_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--help"]) == 0
    assert "--logs" in capsys.readouterr().out
