"""Safe by default: servers of this machine alone, certificates that are checked, nothing unpickled, nobody told."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from kfnb.remote.kfp.server import KfpServer
from kfnb.remote.kubernetes import kubeconfig
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.runs.local import importer
from tests.runs.kubeflow.certificates import serve_tls

ROOT = Path(__file__).parent.parent

UNPICKLES = {
    ("kfnb/capture/embedded/models.py", "cloudpickle.load"): "load(pickle=True) asks for it",
    (
        "kfnb/capture/embedded/models.py",
        "skops.io.load",
    ): "of types on kfnb's list or in the user's trust=[...] alone",
    (
        "kfnb/capture/embedded/states.py",
        "pickle.load",
    ): "a step reads what an earlier step of its pipeline wrote; load(pickle=True) of an artifact asks for it",
    ("kfnb/capture/embedded/states.py", "skops.io.load"): "of the types that skops itself trusts alone",
    (
        "kfnb/capture/embedded/values.py",
        "pickle.Unpickler",
    ): "a step reads what an earlier step of its pipeline wrote",
    ("kfnb/capture/embedded/values.py", "Unpickler.load"): "likewise: the class above",
    ("kfnb/jobs/portable.py", "pickle.load"): "a process reads from its stdin what its own driver wrote",
}
"""Each place that unpickles, and why it may."""

LISTENS = {
    ("kfnb/web/server.py", "socket.create_server(('127.0.0.1', port))"),
    ("kfnb/web/server.py", "HTTPServer(application)"),  # at that socket
    ("kfnb/capture/embedded/rendezvous.py", "one.bind(('127.0.0.1', 0))"),  # to find a free port
    ("kfnb/remote/portforward/forward.py", "socket.create_server(('127.0.0.1', 0))"),
    (
        "kfnb/jobs/prefork.py",
        "door.bind(f'/proc/self/fd/{here}/{draft}')",
    ),  # a socket in a folder of 0700
    (
        "kfnb/server/http.py",
        "loop.create_server(lambda: HttpConnection(serving), host, port, backlog=_BACKLOG)",
    ),  # 127.0.0.1 by default; a pod's program is given another
    (
        "kfnb/server/http.py",
        "loop.create_unix_server(lambda: HttpConnection(serving), path, backlog=_BACKLOG)",
    ),  # a socket of 0600
    (
        "kfnb/server/http.py",
        "loop.create_server(lambda: HttpConnection(serving), sock=opened, backlog=_BACKLOG)",
    ),  # the next one's
    (
        "kfnb/resources/services/local/listener.py",
        "made.bind(address)",
    ),  # 127.0.0.1 by default; any other needs a token
}
"""Each place where something is listened for."""

TRUSTS = {("kfnb/remote/http.py", "CERT_NONE"): "%kf_config verify=false asks for it"}
"""Each place that does without a check of certificates, and who asked for it."""


def files() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted((ROOT / "kfnb").rglob("*.py")):
        yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def found(what: Callable[[ast.AST], str]) -> set[tuple[str, str]]:
    """Where a node is of which ``what`` tells something, and what it tells."""
    return {(name, said) for name, tree in files() for node in ast.walk(tree) if (said := what(node))}


# -- pickles --------------------------------------------------------------------------------------------------

_PICKLES = (
    "pickle",
    "_pickle",
    "cloudpickle",
    "joblib",
    "dill",
    "marshal",
    "shelve",
    "torch",
    "skops.io",
    "Unpickler",
)
_READS = ("load", "loads", "Unpickler", "open")


def unpickles(node: ast.AST) -> str:
    """What reads pickles in a node: a call, a class, an import, the name of a function that is resolved later."""
    if isinstance(node, ast.Attribute | ast.Call):
        text = ast.unparse(node).partition("(")[0] if isinstance(node, ast.Attribute) else ""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call):
            text = f"{ast.unparse(node.value.func)}.{node.attr}"
        owner, _, attribute = text.rpartition(".")
        if (owner in _PICKLES and attribute in _READS) or attribute in ("read_pickle", "unsafe_load"):
            return text
    if isinstance(node, ast.ImportFrom) and node.module in _PICKLES:
        return next((f"from {node.module} import {one.name}" for one in node.names if one.name in _READS), "")
    if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
        return f"allow_pickle={ast.unparse(node.value)}"
    return ""


def test_nothing_is_unpickled_unasked():
    assert found(unpickles) == set(UNPICKLES)


@pytest.mark.parametrize(
    "program",
    [
        "pickle.load(file)",
        "cloudpickle.loads(data)",
        "joblib.load(path)",
        "from pickle import loads",
        "pandas.read_pickle(path)",
        "numpy.load(path, allow_pickle=True)",
        "torch.load(path)",
        "pickle.Unpickler(file).load()",
    ],
)
def test_the_walk_finds_what_unpickles(program):
    assert [said for node in ast.walk(ast.parse(program)) if (said := unpickles(node))]


@pytest.mark.parametrize(
    "program", ["pickle.dumps(x)", "json.loads(text)", "numpy.load(path)", "import pickle"]
)
def test_the_walk_passes_over_what_does_not(program):
    assert not [said for node in ast.walk(ast.parse(program)) if (said := unpickles(node))]


def yaml_loaders(node: ast.AST) -> str:
    if not (isinstance(node, ast.Call) and ast.unparse(node.func) in ("yaml.load", "yaml.load_all")):
        return ""
    return ast.unparse([*node.args[1:], *(one.value for one in node.keywords if one.arg == "Loader")][0])


def test_yaml_makes_plain_data_alone():
    assert {loader for _, loader in found(yaml_loaders)} == {
        "getattr(yaml, 'CSafeLoader', yaml.SafeLoader)",
        "compat.yaml_loader()",
    }


# -- servers --------------------------------------------------------------------------------------------------


def listens(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    function = ast.unparse(node.func)
    last = function.rpartition(".")[2]
    serves = last.endswith(("HTTPServer", "TCPServer", "UDPServer")) or last in (
        "create_server", "start_server", "create_unix_server", "add_insecure_port", "add_secure_port", "serve_forever",
    )  # fmt: skip
    binds = last == "bind" and isinstance(node.func, ast.Attribute) and not function.startswith("self.")
    return ast.unparse(node) if serves or binds else ""


def test_each_place_that_listens_is_of_this_machine_alone():
    assert found(listens) == LISTENS


IN_PODS = {("kfnb/resources/services/kserve/predictor.py", "0.0.0.0")}
"""Programs in pods, which only the cluster reaches."""


def test_no_program_is_told_to_listen_everywhere():
    everywhere = found(
        lambda node: (
            node.value if isinstance(node, ast.Constant) and node.value in ("0.0.0.0", "::", "[::]") else ""
        )
    )
    assert everywhere <= IN_PODS


LISTENING = """
import json, psutil
def listening(process):
    try:
        return [one.laddr.ip for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    except psutil.AccessDenied:
        return []
me = psutil.Process()
mine = {me.pid: me, me.parent().pid: me.parent(), **{one.pid: one for one in me.children(recursive=True)}}
for one in psutil.process_iter(["environ"]):
    if (one.info["environ"] or {}).get("KFNB_HOME") == HOME:
        mine[one.pid] = one
print("LISTENING", json.dumps({str(pid): listening(one) for pid, one in mine.items()}))
"""


@pytest.mark.slow
def test_while_a_notebook_runs_none_of_its_processes_can_be_reached_from_elsewhere(tmp_path):
    home = str(tmp_path / "home")
    cells = [
        "%load_ext kfnb",
        "%%kf_component wait\nimport os, time\ntime.sleep(8 if os.environ.get('KFNB_RETRIES') else 0)\nx = 1",
        "%kf_pipeline p wait",
        "import kfnb\nrun = kfnb.submit('p')\nimport time\ntime.sleep(4)",
        f"HOME = {home!r}\n{LISTENING}",
        "print(run.wait().state)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    nbformat.write(notebook, tmp_path / "in.ipynb")
    command = [sys.executable, "-m", "kfnb.cli", "run", "in.ipynb", "--output-dir", "out"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "KFNB_HOME": home, "KFNB_WARM": "30"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    executed = nbformat.read(tmp_path / "out/in.ipynb", as_version=4)
    printed = "".join(one.get("text", "") for cell in executed.cells for one in cell.get("outputs", ()))
    processes = json.loads(printed.partition("LISTENING ")[2].splitlines()[0])
    addresses = {address for listening in processes.values() for address in listening}
    assert len(processes) > 3, processes
    assert addresses == {"127.0.0.1"}


# -- certificates ---------------------------------------------------------------------------------------------


def trusts(node: ast.AST) -> str:
    """What in a node does without a check of certificates."""
    if isinstance(node, ast.Constant) and node.value == "CERT_NONE":
        return "CERT_NONE"
    if isinstance(node, ast.Attribute) and node.attr in ("CERT_NONE", "_create_unverified_context"):
        return node.attr
    targets = (
        node.targets if isinstance(node, ast.Assign) else [node] if isinstance(node, ast.keyword) else []
    )
    names = [
        one.arg if isinstance(one, ast.keyword) else getattr(one, "attr", getattr(one, "id", ""))
        for one in targets
    ]
    checked = {"verify", "verify_ssl", "check_hostname", "assert_hostname", "trust_env"}
    off = targets and ast.unparse(node.value) == "False"
    return next((f"{name}=False" for name in names if off and name in checked), "")


def test_certificates_are_checked_unless_somebody_asked_otherwise():
    assert found(trusts) == set(TRUSTS)


@pytest.mark.parametrize(
    "program",
    [
        "x(cert_reqs='CERT_NONE')",
        "x(verify=False)",
        "c.check_hostname = False",
        "ssl._create_unverified_context()",
    ],
)
def test_the_walk_finds_what_trusts_anybody(program):
    assert [said for node in ast.walk(ast.parse(program)) if (said := trusts(node))]


def ask_kubernetes(url, folder, monkeypatch):
    config = folder / "kubeconfig"
    user, cluster = {"name": "u", "user": {"token": "canary"}}, {"name": "c", "cluster": {"server": url}}
    context = {"name": "x", "context": {"cluster": "c", "user": "u"}}
    parts = {"clusters": [cluster], "users": [user], "contexts": [context], "current-context": "x"}
    config.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **parts}))
    monkeypatch.setenv("KUBECONFIG", str(config))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(config))
    kubeconfig.kubernetes("x").version()


def ask_pipelines(url, folder, monkeypatch):
    KfpServer(url, retry=RetryPolicy(tries=1)).get("/healthz")


def ask_the_web(url, folder, monkeypatch):
    importer.fetch(f"{url}/x", folder / "x")


@pytest.mark.parametrize("ask", [ask_kubernetes, ask_pipelines, ask_the_web])
def test_a_server_whose_certificate_nobody_vouches_for_is_not_talked_to(ask, tmp_path, monkeypatch):
    with serve_tls(tmp_path) as (url, _), pytest.raises(Exception, match=r"(?i)certificate"):
        ask(url, tmp_path, monkeypatch)


# -- nobody is told -------------------------------------------------------------------------------------------

HEARD = """
import socket, sys
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        place = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
        host = place[0] if isinstance(place, tuple) else place
        host = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
        if host not in ("127.0.0.1", "localhost", "::1", "None") and not host.startswith(("/", "\\0")):
            with open(HERE, "a") as file:
                file.write(f"{event} {host}\\n")
sys.addaudithook(hook)
"""
"""Keeps, of each Python process that begins, the hosts that it calls."""

WORK = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in (
    "%load_ext kfnb",
    "%%kf_component load\\nx = 1",
    "%kf_pipeline p load",
    "%kf_compile p --to p.yaml",
    "import kfnb; print(kfnb.submit('p').wait(60).state)",
    "%kf_runs",
):
    shell.run_cell(cell).raise_error()
"""
CALL = "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 9), 0.1)\nexcept OSError:\n    pass"


def called(program, folder):
    """The hosts that a program and the processes that it starts call."""
    heard = folder / "heard"
    (folder / "sitecustomize.py").write_text(HEARD.replace("HERE", repr(str(heard))))
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {
        **os.environ,
        "KFNB_HOME": str(folder / "home"),
        "KFNB_BACKEND": "local",
        "PYTHONPATH": path,
    }
    subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, check=True)
    return heard.read_text() if heard.exists() else ""


def test_a_notebook_that_works_here_calls_nobody(tmp_path):
    assert called(WORK, tmp_path) == ""


def test_a_call_would_be_heard_also_of_a_process_that_is_started(tmp_path):
    program = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {CALL!r}], check=True)"
    assert "192.0.2.1" in called(program, tmp_path)
