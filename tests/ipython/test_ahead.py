"""While its user writes, a kernel gets ready for the first run: the compiler is imported, and a process stands by."""

import os
import sys
import time

import pytest
from jupyter_client.manager import start_new_kernel

from kfnb.ipython.preload import modules_of

COMPONENT = "%%kf_component a\nx = 1"


@pytest.fixture
def kernel(tmp_path):
    """Run code in a kernel with its home in ``tmp_path`` and give what it printed; ``warm`` is the setting's value."""
    started = []

    def start(warm):
        environ = {**os.environ, "KFNB_HOME": str(tmp_path / "home"), "KFNB_WARM": str(warm)}
        manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path), env=environ)
        started.append((manager, client))

        def run(code, hear=lambda message: None):
            said = []
            both = lambda message: (said.append(message), hear(message))  # noqa: E731
            reply = client.execute_interactive(code, timeout=60, output_hook=both)
            assert reply["content"]["status"] == "ok", reply["content"]
            return "".join(one["content"].get("text", "") for one in said).strip()

        run("%load_ext kfnb")
        return run

    yield start
    for manager, client in started:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    for socket in (tmp_path / "home" / "warm").glob("*"):
        socket.unlink()  # which ends the process


def comes(question, seconds=20.0):
    until = time.monotonic() + seconds
    while not question() and time.monotonic() < until:
        time.sleep(0.1)
    return question()


@pytest.mark.skipif(sys.platform != "linux", reason="a warm start is for Linux")
def test_after_the_first_component_an_idle_kernel_gets_ready(kernel, tmp_path):
    run = kernel(30)
    assert run("import sys; print('kfp' in sys.modules)") == "False"
    run(COMPONENT)
    assert comes(lambda: run("print('kfp.compiler' in sys.modules)") == "True")
    assert comes(lambda: list((tmp_path / "home" / "warm").glob("[!.]*")))


def test_with_warm_0_nothing_is_done_beforehand(kernel, tmp_path):
    run = kernel(0)
    run(COMPONENT)
    time.sleep(1.5)
    assert run("import sys; print('kfp' in sys.modules)") == "False"
    assert not (tmp_path / "home").exists()


def test_a_wrong_argument_is_refused_before_kfp_is_imported(kernel):
    run = kernel(0)
    run(COMPONENT)
    run("%kf_pipeline p a")
    wrong = "try:\n    get_ipython().run_line_magic('kf_submit', 'p --rows 3')\nexcept Exception as error: print(error)"
    assert run(wrong).startswith("p has no parameter rows")
    assert run("import sys; print('kfp' in sys.modules)") == "False"


def test_a_first_submit_says_at_once_that_it_compiles_and_the_run_takes_that_place(kernel):
    run = kernel(0)
    run(COMPONENT)
    run("%kf_pipeline p a")
    messages = []
    run("%kf_submit p", messages.append)
    shown = [one for one in messages if one["msg_type"] in ("display_data", "update_display_data")]
    texts = [one["content"]["data"]["text/plain"] for one in shown]
    assert texts[0].startswith("Compiling p")
    assert any(" p" in text and "local" in text for text in texts[1:])
    assert [one["msg_type"] for one in shown].count("display_data") == 1


def test_the_modules_are_those_that_the_notebooks_names_come_from():
    names = {
        "os": os,
        "Path": type(tmp := object()),
        "run": comes,
        "_": sys,
        "x": tmp,
        "json": __import__("json"),
    }
    assert modules_of(names) == ["builtins", "json", "os", __name__]
