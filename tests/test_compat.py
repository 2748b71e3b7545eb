"""Each seam of another library does what kfnb takes it for, and no other file of kfnb touches one."""

from __future__ import annotations

import argparse
import ast
import asyncio
import contextlib
import inspect
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kfnb import compat

ROOT = Path(__file__).parent.parent / "kfnb"

PROMISED = {
    "_exit": "os, documented",
    "_getframe": "sys, documented as CPython's",
    "_fields": "a named tuple's, documented",
    "_render_traceback_": "IPython's, the protocol of exceptions",
    "_esm": "anywidget's, documented",
    "_strip_protocol": "fsspec's, for who writes a file system",
}
"""Names with an underscore that their libraries promise."""

UNDOCUMENTED = (
    "IPython.core.magic.MAGIC_",
    "celpy.evaluation.base_functions",
    "ipykernel.",
    "kfp.dsl.executor",
    "kubernetes.stream.ws_client",
    "papermill.execute",
    "papermill.iorw",
)
"""Beginnings of what only ``compat.py`` imports: their libraries do not say that they are there."""

WITHOUT_KFNB = ("capture/embedded/", "resources/runs/local/runner.py")
"""Code that runs in the environment of a step, where kfnb may not be installed."""


# -- Python's own library -------------------------------------------------------------------------------------


def test_the_environment_is_of_its_class():
    assert type(os.environ) is compat.Environ or issubclass(type(os.environ), compat.Environ)


FORKED = """
import asyncio, os
from kfnb import compat
async def inside():
    if pid := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    status = 1
    try:
        compat.forget_running_loop()
        asyncio.run(asyncio.sleep(0))
        status = 0
    finally:
        os._exit(status)
print(asyncio.run(inside()))
"""


def test_a_process_that_was_forked_from_a_running_loop_can_run_its_own():
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_without_it_the_loop_of_the_parent_is_in_the_way():
    async def inner() -> None:
        coroutine = asyncio.sleep(0)
        try:
            with pytest.raises(RuntimeError, match="running event loop"):
                asyncio.run(coroutine)
        finally:
            coroutine.close()

    asyncio.run(inner())


def test_exit_functions_run_after_threads_have_ended():
    program = (
        "import atexit, os, threading, time\n"
        "from kfnb import compat\n"
        "atexit.register(print, 'exit', flush=True)\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('thread', flush=True))).start()\n"
        "compat.run_exit_functions()\n"
        "os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["thread", "exit"]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(add_help=False)
    made.add_argument("--one")
    made.add_argument("--many", "-m", action="append")
    made.add_argument("place", nargs="?")
    return made


def test_the_arguments_of_a_parser_are_told_in_their_order():
    assert [one.dest for one in compat.actions_of(parser())] == ["one", "many", "place"]


def test_an_argument_that_may_be_given_again_is_known():
    assert [compat.is_repeatable(one) for one in compat.actions_of(parser())] == [False, True, False]


# -- IPython and its kernel -----------------------------------------------------------------------------------


def test_a_magic_that_is_marked_is_given_its_line_as_it_stands_and_can_be_silenced(shell):
    class Magic:
        def __call__(self, line: str) -> str:
            return line

    magic = Magic()
    compat.mark_as_code(magic)
    shell.ip.register_magic_function(magic, "line", "taken")
    shell.ip.user_ns["x"] = 1
    assert shell.run("%taken {x} $x") == "{x} $x"
    assert shell.run("%taken {x};") is None


def test_a_command_over_several_lines_keeps_the_numbers_of_the_lines_after_it():
    text = "!echo one \\\n  two\nx = 1\n"
    assert compat.line_preserving_transformer().transform_cell(text).split("\n")[2] == "x = 1"


def test_the_number_of_a_cell_is_that_of_its_output(shell):
    numbers = []
    shell.ip.events.register("pre_run_cell", lambda _info: numbers.append(compat.cell_number(shell.ip)))
    shell.run("1 + 1")
    shell.run("2 + 2")
    assert numbers == [1, 2]
    assert shell["Out"] == {1: 2, 2: 4}


KERNEL = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
code = "from kfnb import compat; print('ASKED', compat.accepts_input(get_ipython()))"
try:
    for allow in (True, False):
        told = []
        client.execute_interactive(
            code, allow_stdin=allow, timeout=60, output_hook=lambda message: told.append(message["content"].get("text"))
        )
        print(allow, "".join(filter(None, told)), end="")
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
"""


def test_a_kernel_knows_whether_its_client_can_be_asked():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KERNEL], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["True ASKED True", "False ASKED False"]


def test_a_shell_without_a_kernel_says_nothing_of_that(shell):
    assert compat.accepts_input(shell.ip) is None


def test_ipykernel_asks_a_comm_which_shell_is_to_hear_it():
    import ipykernel
    from ipykernel import kernelbase

    if int(ipykernel.__version__.partition(".")[0]) < 7:
        pytest.skip("has no subshells")
    assert '"_reply_subshell_for"' in inspect.getsource(kernelbase)
    source = inspect.getsource(kernelbase)
    call = source[source.index('"_reply_subshell_for"') :].split("\n", 8)
    assert any("route(" in line and line.count(",") >= 1 for line in call)


def test_a_widget_takes_a_message_without_a_cells_events():
    import ipywidgets

    heard: list[Any] = []
    widget = ipywidgets.Widget()
    widget.on_msg(lambda _widget, content, _buffers: heard.append(content))
    compat.answer_beside_cells(widget)
    widget.comm.handle_msg(
        {"content": {"data": {"method": "custom", "content": {"do": "it"}}}, "buffers": []}
    )
    assert heard == [{"do": "it"}]
    assert vars(widget.comm)["_reply_subshell_for"]({}, "here") == "here"


def test_a_kernel_of_pythons_own_name_is_this_python(tmp_path):
    manager = compat.own_kernel_manager()()
    other = tmp_path / "kernels/python3"
    other.mkdir(parents=True)
    (other / "kernel.json").write_text('{"argv": ["another"], "display_name": "x", "language": "python"}')
    manager.kernel_spec_manager.kernel_dirs.insert(0, str(other.parent))
    spec = manager.kernel_spec_manager.get_kernel_spec("python3")
    assert Path(spec.argv[0]).name.startswith("python")
    assert "ipykernel_launcher" in spec.argv


# -- papermill, KFP -------------------------------------------------------------------------------------------


def test_papermills_marks_of_an_error_are_taken_out(tmp_path):
    import nbformat
    import papermill

    failing = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    failing.metadata["kernelspec"] = {"name": "python3", "display_name": "p", "language": "python"}
    nbformat.write(failing, tmp_path / "in.ipynb")
    with pytest.raises(papermill.PapermillExecutionError):
        papermill.execute_notebook(
            str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb"), progress_bar=False
        )
    marked = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert len(marked.cells) > 1
    assert [cell.source for cell in compat.without_error_marks(marked).cells] == ["1 / 0"]


def test_parameters_in_yaml_are_plain_data_and_dates_stay_texts():
    import yaml

    assert yaml.load("day: 2026-11-30\nn: 1", compat.yaml_loader()) == {"day": "2026-11-30", "n": 1}
    with pytest.raises(yaml.YAMLError):
        yaml.load("!!python/object/apply:os.getcwd []", compat.yaml_loader())


def test_kfps_executor_runs_a_step_and_hands_its_outputs_to_what_writes_them():
    def step(n: int) -> int:
        return n + 1

    executor_input = {"inputs": {"parameterValues": {"n": 1}}, "outputs": {"outputFile": "/no/such/file"}}
    executor_input["outputs"]["parameters"] = {"Output": {"outputFile": "/no/such/output"}}
    executor = compat.kfp_executor(executor_input, step)
    written: list[Any] = []
    executor.write_executor_output = written.append
    executor.execute()
    assert written == [2]
    assert (executor.input_artifacts, executor.output_artifacts) == ({}, {})


# -- Kubernetes, urllib3 --------------------------------------------------------------------------------------


def test_a_websocket_goes_to_the_address_with_the_clients_token():
    from kubernetes import client as package

    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        settings = package.Configuration(host=f"http://{address}")
        heard: list[bytes] = []

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(1 << 16))

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Exception, match=r"(?i)handshake|connection|lost|closed|reset"):
            compat.websocket(
                settings, {"authorization": "Bearer canary"}, f"http://{address}/api/v1/x?ports=80"
            )
        thread.join(10)
    request = heard[0].decode()
    assert request.startswith("GET /api/v1/x?ports=80 ")
    assert "upgrade: websocket" in request.lower()
    assert "bearer canary" in request.lower()


@pytest.mark.parametrize("newest", [True, False])
def test_who_reads_an_answer_wakes_when_it_is_hung_up(newest, monkeypatch):
    import urllib3

    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx")
            held.wait(20)
            connection.close()

        held = threading.Event()
        threading.Thread(target=serve, daemon=True).start()
        pool = urllib3.PoolManager()
        answer = pool.request("GET", f"http://127.0.0.1:{server.getsockname()[1]}/", preload_content=False)
        if not newest and hasattr(answer, "shutdown"):
            monkeypatch.delattr(type(answer), "shutdown")
        woken = threading.Event()

        def read() -> None:
            with contextlib.suppress(Exception):
                answer.read()
            woken.set()

        threading.Thread(target=read, daemon=True).start()
        assert not woken.wait(0.3)
        compat.hang_up(answer)
        assert woken.wait(10)
        held.set()


# -- Optuna, cel-python, pandas -------------------------------------------------------------------------------


def test_the_parameters_of_a_trial_that_waits_are_known():
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    study.enqueue_trial({"x": 0.5})
    asked = study.ask()
    (frozen,) = study.get_trials()
    assert compat.parameters_of(frozen) == {"x": 0.5}
    asked.suggest_float("x", 0, 1)
    assert compat.parameters_of(study.get_trials()[0]) == {"x": 0.5}


def test_the_relations_of_cel_are_there_by_their_names():
    import celpy

    known = compat.cel_functions()
    assert {"_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_"} <= set(known)
    assert known["_<_"](celpy.celtypes.IntType(1), celpy.celtypes.IntType(2))


def test_an_array_of_pandas_that_was_only_read_is_the_same_without_its_notes():
    import pandas as pd

    def state() -> Any:
        return compat.without_notes(index.array.__reduce_ex__(5)[1:3])

    index = pd.Index(pd.to_datetime(["2026-01-01", "2026-01-02"]))
    before = repr(state())
    assert index.is_unique
    assert list(index) == list(index.array)
    assert repr(state()) == before
    assert compat.without_notes(({"_cache": 1, "_readonly": 2, "kept": 3}, "x")) == ({"kept": 3}, "x")


# -- no other file touches a seam -----------------------------------------------------------------------------


def trees() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(ROOT.rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        if name != "compat.py" and not name.startswith(WITHOUT_KFNB):
            yield name, ast.parse(file.read_text(encoding="utf-8"))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def defined(tree: ast.AST) -> Iterator[str]:
    """The private names that a module gives to what is its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and own(node.value):
            yield node.attr
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (one.id for one in targets if isinstance(one, ast.Name))


def own(node: ast.AST) -> bool:
    return ast.unparse(node) in ("self", "cls", "super()")


OURS = {name for _, tree in trees() for name in defined(tree) if is_private(name)}


def private_words(node: ast.AST) -> Iterator[str]:
    """The private names of other libraries in a node: attributes, imports, and names as texts."""
    if isinstance(node, ast.Attribute) and is_private(node.attr):
        if not (own(node.value) and node.attr in OURS):
            yield node.attr
    elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("kfnb"):
        yield from (one.name for one in node.names if is_private(one.name))
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in (
        "getattr",
        "setattr",
        "hasattr",
        "delattr",
    ):
        yield from (one.value for one in node.args[1:2] if text(one) and not own(node.args[0]))
    elif isinstance(node, ast.Subscript) and ast.unparse(node.value).startswith("vars("):
        yield from [node.slice.value] if text(node.slice) else []


def text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and is_private(node.value)


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{one.name}" for one in node.names)


def test_the_program_that_runs_a_step_imports_nothing_of_kfnb():
    tree = ast.parse((ROOT / "resources/runs/local/runner.py").read_text(encoding="utf-8"))
    assert [name for name in imported(tree) if name.startswith("kfnb")] == []


def test_no_other_file_takes_a_private_name_of_another_library():
    strange = {
        (name, word) for name, tree in trees() for node in ast.walk(tree) for word in private_words(node)
    }
    assert {(name, word) for name, word in strange if word not in PROMISED} == set()


def test_no_other_file_imports_what_a_library_does_not_document():
    strange = {
        (name, one) for name, tree in trees() for one in imported(tree) if one.startswith(UNDOCUMENTED)
    }
    assert strange == set()


@pytest.mark.parametrize(
    "program",
    [
        "shell._magics",
        "from kfp.dsl import _hidden",
        "getattr(x, '_y', 0)",
        "vars(x)['_y'] = 1",
        "self._never_defined",
    ],
)
def test_the_walk_finds_a_seam(program):
    assert [word for node in ast.walk(ast.parse(program)) for word in private_words(node)]


def test_every_seam_has_a_test():
    tree = ast.parse((ROOT / "compat.py").read_text(encoding="utf-8"))
    functions = {one.name for one in tree.body if isinstance(one, ast.FunctionDef)} | {"Environ"}
    used = {
        node.attr
        for node in ast.walk(ast.parse(Path(__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "compat"
    }
    texts = FORKED + KERNEL + inspect.getsource(test_exit_functions_run_after_threads_have_ended)
    assert {name for name in functions if name not in used and f"compat.{name}" not in texts} == set()
