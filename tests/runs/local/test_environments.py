"""What a step installs: met by this environment, or put into one of the step's own."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: PTH109, PTH123

import zipfile
from importlib.metadata import version

import pytest
from kfp import dsl
from local_runs import submission, task, text, wait
from steps import component

from kfnb.entities import RunState
from kfnb.resources.runs.install_errors import uv_error
from kfnb.resources.runs.local.environment import Requirements, missing, parse

KFP = version("kfp")


def script(function):
    """What KFP's compiler writes before a component's program."""
    return "\n".join(
        part for part in function.component_spec.implementation.container.command if "pip install" in part
    )


def wheel(folder, name, value):
    """A wheel with one module, ``name``, which holds ``VALUE``."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", f"VALUE = {value!r}\n")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


def test_the_installation_script_of_kfp_is_understood():
    @component(
        packages_to_install=["pandas==2.0", "scikit-learn[extra]>=1", 'old; python_version<"3"'],
        pip_index_urls=["https://a.example/simple", "https://b.example/simple"],
    )
    def step():
        pass

    found = parse(script(step))

    assert found.packages == ("pandas==2.0", "scikit-learn[extra]>=1")
    assert found.kfp == f"kfp=={KFP}"
    assert found.options == (
        *("--index-url", "https://a.example/simple", "--extra-index-url", "https://b.example/simple"),
        *("--trusted-host", "https://a.example/simple", "--trusted-host", "https://b.example/simple"),
    )


def test_a_step_that_installs_into_a_venv_of_its_own_is_understood_too():
    @component(packages_to_install=["pandas"], use_venv=True)
    def step():
        pass

    assert parse(script(step)) == Requirements(("pandas",), (), f"kfp=={KFP}")


@pytest.mark.parametrize(
    ("package", "met"),
    [
        ("pytest", True),
        ("pytest>=1", True),
        ("PyTest!=1", True),
        ("pytest==1.0", False),
        ("no-such-package", False),
        ("pytest @ https://a.example/pytest.whl", False),
        ("./pytest.whl", False),
        ("kfp[no-such-extra]", True),
    ],
)
def test_what_is_installed_here_is_met_here(package, met):
    assert (missing(Requirements((package,))) == []) is met


def test_any_kfp_2_serves_for_the_one_that_a_step_pins():
    assert missing(Requirements(kfp="kfp==2.0.0")) == []


@pytest.mark.slow
def test_what_is_missing_is_installed_once_for_all_tasks(backend, tmp_path):
    wheels = [str(wheel(tmp_path, "kfnb_test_only", "blue"))]

    @component(packages_to_install=wheels)
    def first(table: dsl.Output[dsl.Dataset]) -> str:
        import os
        import sys

        import kfnb_test_only

        with open(table.path, "w") as file:
            file.write(sys.prefix)
        return kfnb_test_only.VALUE + os.getcwd()

    @component(packages_to_install=wheels)
    def second() -> str:
        import kfnb_test_only

        # cell second [1], line 5
        raise ValueError(kfnb_test_only.VALUE)

    @dsl.pipeline
    def pipeline():
        first()
        second()

    run = wait(backend, backend.submit(submission(pipeline, tmp_path)), seconds=120)

    assert task(run, "first").outputs["Output"] == f"blue{tmp_path}", task(run, "first").error
    assert task(run, "second").error.message == "ValueError: blue"
    assert task(run, "second").error.place == "cell second [1], line 5"
    environments = [path for path in (tmp_path / "home" / "envs").iterdir() if path.is_dir()]
    assert task(run, "first").outputs["table"].open().read().decode() == str(environments[0])
    assert len(environments) == 1
    built = [name for name in ("first", "second") if "Building an environment" in text(backend, run.id, name)]
    assert len(built) == 1
    said = [event.data["text"] for event in backend.events(run.id, follow=False) if event.kind == "doing"]
    assert any(text.startswith("building an environment for") for text in said)
    assert not any(one.doing for one in run.tasks)


def test_packages_that_cannot_be_installed_fail_the_task_and_its_log_says_why(backend, tmp_path):
    @component(packages_to_install=[str(tmp_path / "nothing-1.0-py3-none-any.whl")])
    def step():
        pass

    @dsl.pipeline
    def pipeline():
        step()

    run = wait(backend, backend.submit(submission(pipeline, tmp_path)), seconds=60)

    assert run.state is RunState.FAILED
    assert task(run, "step").error.message.startswith("cannot install its packages: ")
    assert "nothing-1.0" in task(run, "step").error.message
    assert "nothing-1.0" in text(backend, run.id, "step")


def test_an_index_that_does_not_answer_is_told_with_what_to_do(backend, tmp_path, monkeypatch):
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("PIP_RETRIES", "0")

    @component(packages_to_install=["kfnb-test-only"], pip_index_urls=["http://127.0.0.1:1/simple"])
    def step():
        pass

    @dsl.pipeline
    def pipeline():
        step()

    run = wait(backend, backend.submit(submission(pipeline, tmp_path)), seconds=60)

    assert task(run, "step").error.message.startswith("cannot install its packages: ")
    assert task(run, "step").error.message.endswith(
        "; the package index did not answer: set index_urls to one that does, "
        "or install it in the environment that kfnb runs in"
    )


UNSATISFIABLE = "there is no version of numpy==99.0.0 and you require numpy==99.0.0"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            [
                "Using Python 3.11.7 environment at: v",
                "error: No solution found when resolving dependencies",
                f"  cause: Because {UNSATISFIABLE}, we can conclude that your requirements are unsatisfiable.",
            ],
            UNSATISFIABLE,
        ),
        (
            [
                "  \u00d7 No solution found when resolving dependencies:",
                "  \u2570\u2500\u25b6 Because there is no version of numpy==99.0.0 and you require",
                "      numpy==99.0.0, we can conclude that your requirements are unsatisfiable.",
            ],
            UNSATISFIABLE,
        ),
        (
            [
                "error: Request failed after 3 retries in 9.6s",
                "  cause: Failed to fetch: http://127.0.0.1:1/simple/numpy/",
                "  cause: error sending request for url (http://127.0.0.1:1/simple/numpy/)",
            ],
            "Failed to fetch: http://127.0.0.1:1/simple/numpy/",
        ),
        (
            ["error: Failed to fetch: `https://pypi.org/simple/numpy/`", "  Caused by: dns error"],
            "Failed to fetch: `https://pypi.org/simple/numpy/`",
        ),
        (["Resolved 3 packages in 12ms"], ""),
    ],
)
def test_what_uv_says_as_it_gives_up_is_found(lines, said):
    assert uv_error(lines) == said
