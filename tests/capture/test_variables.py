"""Which environment variables a component's cell is seen to read, by its own code and by nobody else's."""

import os
import sys
import threading

import pytest

from kfnb.capture.nondeterminism import fleeting_calls
from kfnb.capture.variable_lookups import at_import, lookups
from kfnb.text.variables import is_secret, named_by, read_by, reads_comment


@pytest.fixture
def notebook(shell, monkeypatch):
    for name in ("STAGE", "REGION", "API_TOKEN"):
        monkeypatch.setenv(name, f"value of {name}")
    monkeypatch.delenv("NOT_SET", raising=False)
    shell.run("import os")
    return shell


def seen(shell, body, name="c", options=""):
    """The variables that a component of this body was seen to read, or that its text tells, as its step has them."""
    from kfnb.resources.components import api

    shell.run(f"%%kf_component {name} {options}\n{body}")
    view = api.show(name)
    assert type(os.environ).__mro__[1].__name__ == "MutableMapping"  # it is as it was
    return {one.name for one in view.travellers if one.kind == "variable"}


def notes(shell, name="c"):
    return [note for note in shell.component(name).notes if "environment" in note]


def cells(text):
    return [cell.strip("\n") for cell in text.split("# ---\n")]


READ = """
x = os.environ["STAGE"]
# ---
x = os.environ.get("STAGE", "none")
# ---
x = os.getenv("STAGE")
# ---
x = os.environb[b"STAGE"].decode()
# ---
x = "STAGE" in os.environ
# ---
x = os.path.expandvars("$STAGE/a")
# ---
from os import environ as settings
x = settings["STAGE"]
# ---
from os import getenv
x = getenv("ST" + "AGE")
# ---
x = os.environ["ST" + "AGE"]
# ---
x = [os.environ[f"{part}AGE"] for part in ["ST"]]
# ---
def of(name):
    return os.environ.get(name)
x = of("ST" + "AGE")
# ---
x = "{STAGE}".format_map(os.environ)
# ---
import string
x = string.Template("$STAGE").substitute(os.environ)
# ---
x = list(map(os.environ.get, ["STAGE"]))
# ---
exec("x = os.environ['STAGE']")
# ---
x = eval("os.getenv('STAGE')")
# ---
x = os.environ.pop("STAGE")
os.environ["STAGE"] = x
# ---
x = os.environ.setdefault("STAGE", "another")
# ---
settings = dict(os.environ)
x = settings["STAGE"]
del settings
# ---
settings = {**os.environ, "A": "1"}
x = settings.get("STAGE")
del settings
# ---
if False:
    os.environ["STAGE"]
# ---
!echo $STAGE
# ---
out = !echo ${STAGE:-none}
# ---
%%bash
echo "it's $STAGE"
# ---
import subprocess
x = subprocess.run("echo $STAGE", shell=True, capture_output=True).returncode
# ---
import threading
x = []
t = threading.Thread(target=lambda: x.append(os.environ["ST" + "AGE"]))
t.start(); t.join()
del t
# ---
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor() as pool:
    x = list(pool.map(lambda name: os.environ[name.upper()], ["stage"]))
del pool
# ---
import multiprocessing
def of(_):
    return os.environ["STAGE"]
with multiprocessing.get_context("fork").Pool(1) as pool:
    x = pool.map(of, [1])
del pool
"""


@pytest.mark.parametrize("body", cells(READ))
def test_what_the_cells_own_code_reads_is_seen(notebook, body):
    assert seen(notebook, body) == {"STAGE"}


NOT_READ = """
os.environ["MINE"] = "1"
x = os.environ["MINE"]
# ---
os.environ.update(MINE="1")
x = os.environ["M" + "INE"]
# ---
os.environ.setdefault("NOT_SET", "1")
x = os.environ["NOT_SET"]
del os.environ["NOT_SET"]
# ---
os.environ.setdefault("STAGE", "value of STAGE")
# ---
os.environ["MINE"] = "1"
del os.environ["MINE"]
x = "MINE" in os.environ
# ---
x = len(os.environ)
# ---
import subprocess, sys
x = subprocess.run([sys.executable, "-c", ""], env={**os.environ, "A": "1"}).returncode
# ---
import subprocess, sys
env = os.environ.copy()
env["A"] = "1"
x = subprocess.run([sys.executable, "-c", ""], env=env).returncode
del env
# ---
copy = dict(os.environ)
n = len(copy)
del copy
# ---
copy = os.environ | {"A": "1"}
del copy
# ---
!for STAGE in a b; do echo $STAGE; done
# ---
!STAGE=x; echo $STAGE '$REGION' $RANDOM
# ---
import tempfile, getpass, shutil, pathlib
x = (tempfile.gettempdir(), str(pathlib.Path.home()), shutil.which("sh"))
# ---
import pandas as pd, numpy as np
x = float(pd.DataFrame({"a": np.arange(3)}).a.mean())
# ---
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
f = plt.figure()
plt.close(f)
del f
# ---
from sklearn.linear_model import LinearRegression
x = LinearRegression().fit([[1], [2]], [1, 2]).coef_.tolist()
# ---
from joblib import Parallel, delayed
x = Parallel(n_jobs=2)(delayed(abs)(i) for i in range(2))
# ---
from unittest import mock
with mock.patch.dict(os.environ, {"STAGE": "patched"}):
    x = os.environ["ST" + "AGE"] * 0
"""


@pytest.mark.parametrize("body", cells(NOT_READ))
def test_nothing_is_seen_of_what_libraries_read_and_of_what_the_cell_sets_itself(notebook, body, monkeypatch):
    monkeypatch.setenv("MINE", "")  # so that it is put back
    monkeypatch.delenv("MINE")
    assert seen(notebook, body) == set()
    assert notes(notebook) == []


def test_after_a_library_has_put_back_what_was_there_a_read_counts(notebook):
    patched = "from unittest import mock\nwith mock.patch.dict(os.environ, {'STAGE': 'p'}):\n    pass\n"
    assert seen(notebook, patched + "x = os.environ['ST' + 'AGE']") == {"STAGE"}


def test_a_read_before_the_cell_sets_the_variable_counts(notebook):
    assert seen(notebook, 'x = os.environ["STAGE"]\nos.environ["STAGE"] = x') == {"STAGE"}


DOTENV = """
import os, pathlib
def load_dotenv():
    for line in pathlib.Path(".env").read_text().split():
        name, _, value = line.partition("=")
        if name not in os.environ:
            os.environ[name] = value
"""


def test_what_dotenv_sets_is_read_from_the_environment_since_no_step_has_its_file(
    notebook, tmp_path, monkeypatch
):
    # as python-dotenv does it
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "dotenv.py").write_text(DOTENV)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    # a package, not a module beside the notebook
    monkeypatch.setattr("kfnb.capture.packages._own", lambda entry, folder: None)
    monkeypatch.setenv("FROM_FILE", "")
    monkeypatch.delenv("FROM_FILE")
    (tmp_path / ".env").write_text("FROM_FILE=1\n")
    notebook.run(
        "%%kf_component c --package wheel\nfrom dotenv import load_dotenv\nload_dotenv()\n"
        "x = os.environ['FROM' + '_FILE']"
    )
    assert notebook.component("c").variables.names == {"FROM_FILE"}
    sys.modules.pop("dotenv")


def test_modules_beside_the_notebook_count_with_what_they_read_when_imported_and_called(notebook, tmp_path):
    (tmp_path / "conf.py").write_text(
        "import os\nSTAGE = os.getenv('STAGE')\ndef region():\n    return os.environ['REG' + 'ION']\n"
        "def never():\n    return os.environ['API_TOKEN']\n"
    )
    notebook.run("import conf")
    assert seen(notebook, "x = conf.region() + conf.STAGE") == {"STAGE", "REGION"}
    sys.modules.pop("conf")


def test_functions_of_the_notebook_count_where_they_are_used(notebook):
    notebook.run(
        "def where():\n    return os.environ['REGION']\ndef other():\n    return os.environ['STAGE']"
    )
    assert seen(notebook, "x = where()") == {"REGION"}


def test_set_up_cells_count_and_what_they_set_does_not(notebook):
    notebook.run("%%kf_setup\nimport os\nLEVEL = os.getenv('STAGE')\nos.environ['MODE'] = 'fast'")
    assert seen(notebook, "x = os.environ['MODE']") == {"STAGE"}
    del os.environ["MODE"]


def test_a_function_component_counts_by_its_text(notebook):
    assert seen(notebook, "def c(n: int) -> str:\n    import os\n    return os.environ['STAGE'] * n") == {
        "STAGE"
    }


def test_further_cells_of_a_component_count(notebook):
    seen(notebook, "os.environ['MADE'] = '1'\nx = os.environ['ST' + 'AGE']")
    assert seen(notebook, "y = os.environ['REG' + 'ION'] + os.environ['MADE']", options="--continue") == {
        "STAGE",
        "REGION",
    }
    del os.environ["MADE"]


def test_whoever_goes_through_all_variables_is_not_cached_and_told(notebook):
    for name, body in {
        "a": "x = [name for name in os.environ if name.startswith('STA')]",
        "b": "x = 0\nfor name, value in os.environ.items():\n    x += len(value)",
        "d": "x = sorted(os.environ.keys())",
        "e": "copy = dict(os.environ)\nx = [copy[name] for name in ['ST' + 'AGE']]\ndel copy",
        "f": "def count(**all):\n    return len(all)\nx = count(**os.environ)",
    }.items():
        assert seen(notebook, body, name) == set()
        (note,) = notes(notebook, name)
        assert "reads all environment variables: the step is not cached" in note
    notebook.run("%kf_pipeline p a")
    notebook.submit("p")
    assert not notebook.submit("p").tasks["a"].cached


# -- the swap -------------------------------------------------------------------------------------------------


def test_the_environment_is_as_it_was_after_a_cell_that_fails(notebook):
    plain = type(os.environ)
    for body in (
        'x = os.environ["NOT_SET"]',
        "1 / 0",
        "raise KeyboardInterrupt",
        "import nothing_like_that",
        "x = (",
    ):
        with pytest.raises(BaseException):  # noqa: B017 - of any kind
            notebook.run(f"%%kf_component c\n{body}")
        assert type(os.environ) is plain
        assert type(os.environb) is plain


def test_the_environment_is_the_same_thing_to_the_cell(notebook):
    notebook.run("import pickle, copy, cloudpickle")
    seen(
        notebook,
        "assert isinstance(os.environ, type(os.environb)) and type(os.environ).__name__ == '_Environ'\n"
        "assert repr(os.environ).startswith('environ({')\n"
        "assert os.environ.copy() == dict(os.environ) == {**os.environ}\n"
        "assert type(os.environ | {}) is dict and type({} | os.environ) is dict\n"
        "assert 'STAGE' in os.environ.keys() and len(os.environ.keys()) == len(os.environ)\n"
        "assert ('STAGE', os.environ['STAGE']) in os.environ.items()\n"
        "other = cloudpickle.loads(cloudpickle.dumps(os.environ))\n"
        "assert type(other).__module__ == 'os' and other == os.environ\n"
        "try:\n    os.environ['NOT_SET']\nexcept KeyError as error:\n    assert error.args == ('NOT_SET',)\n"
        "del other",
    )


def test_a_cell_that_puts_another_environment_in_place_is_left_alone(notebook, monkeypatch):
    plain = os.environ
    monkeypatch.setattr(os, "environ", os.environ)
    notebook.run("%%kf_component c\nos.environ = {'STAGE': 'x'}\nx = os.environ['STAGE']")
    assert os.environ == {"STAGE": "x"}
    assert type(plain).__mro__[1].__name__ == "MutableMapping"


def test_a_thread_that_outlives_the_cell_is_heard_no_more(notebook):
    notebook.ip.user_ns["go"], notebook.ip.user_ns["done"] = threading.Event(), threading.Event()
    notebook.run(
        "def late():\n    go.wait(5)\n    os.environ.get('LATE')\n    done.set()\n"
        "import threading\nthreading.Thread(target=late).start()"
    )
    seen(notebook, "x = 1")
    notebook["go"].set()
    assert notebook["done"].wait(5)
    assert notebook.component("c").variables.names == set()


# -- notes ----------------------------------------------------------------------------------------------------


def test_one_note_tells_what_is_read_and_how_a_cluster_gets_it(notebook):
    seen(
        notebook, 'x = os.environ["STAGE"] + os.environ["REGION"]\ny = os.environ.get("API_TOKEN", "") == ""'
    )
    (note,) = notes(notebook)
    assert note == (
        f"cell {notebook.component('c').cell}: reads the environment variables API_TOKEN, REGION, STAGE: the step"
        " runs again when one of them changes. On a cluster, %kf_submit --env REGION --env STAGE and"
        " %%kf_component --secret NAME:KEY=API_TOKEN pass them to the step"
    )


def test_there_is_no_note_of_what_the_component_asks_for_itself_or_every_machine_has(notebook):
    seen(notebook, 'x = os.environ["MODE"] + os.environ["HOME"]', options="--env MODE=fast")
    assert notes(notebook) == []


# -- texts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import os as o\no.environ['A']", {"A"}),
        ("def f():\n    from os import environ\n    return environ['A']", {"A"}),
        ("import os\nos.environ['A'] = '1'\nos.environ['A']", set()),
        ("import os\nos.environ['A']\nos.environ['A'] = '1'", {"A"}),
        ("import os\nif x:\n    os.environ['A'] = '1'\nos.environ['A']", {"A"}),
        ("environ = {}\nenviron['A']", set()),
        ("config['A']; config.get('B'); 'C' in config", set()),
        ("import os\nos.environ.get(name)", set()),
        ("import subprocess\nsubprocess.run(['echo', '$A'])", set()),
        ("import os\nos.system('echo $A')", {"A"}),
        ("import os\nos.system('awk {print $1}')", set()),
    ],
)
def test_what_a_text_tells(text, found):
    import ast

    assert lookups(ast.parse(text), {}) == found


def test_a_module_tells_what_it_reads_when_it_is_imported():
    assert at_import("import os\nA = os.getenv('A')\ndef f():\n    return os.getenv('B')\n") == {"A"}


def test_a_program_tells_what_it_reads():
    program = f"def f():\n    {reads_comment({'STAGE', 'REGION'})}\n    pass\n"
    assert read_by(program) == ("REGION", "STAGE")
    assert read_by("def f():\n    pass\n") == ()
    assert reads_comment(set()) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            (name, "x")
            for name in [
                "API_TOKEN",
                "aws_secret_access_key",
                "DB_PASSWORD",
                "PGPASSWORD",
                "OPENAI_API_KEY",
                "apiKey",
            ]
        ),
        *(
            (name, "x")
            for name in [
                "GITHUB_PAT",
                "DB_PWD",
                "GOOGLE_APPLICATION_CREDENTIALS",
                "MYSQL_PASS",
                "accessToken",
            ]
        ),
        ("DATABASE_URL", "postgres://me:hunter2@db/x"),
        ("CONNECTION", "Server=x;Password=y"),
        ("GIVEN", "ghp_0123456789abcdefABCDEF0123456789abcd"),
        ("GIVEN", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc"),
        ("GIVEN", "AKIAIOSFODNN7EXAMPLE"),
        ("GIVEN", "-----BEGIN RSA PRIVATE KEY-----\nabc"),
        ("GIVEN", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"),
    ],
)
def test_what_looks_like_a_secret(name, value):
    assert is_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            (name, "x")
            for name in [
                "STAGE",
                "PWD",
                "TOKENIZERS_PARALLELISM",
                "MAX_TOKENS",
                "KEYBOARD",
                "COMPASS",
                "TIMEOUT",
                "AUTHOR",
            ]
        ),
        ("URL", "https://example.org:8080/a@b"),
        ("COMMIT", "7f9c2ba4e88f827d616045507605853ed73b8093"),
        ("RUN", "123e4567-e89b-12d3-a456-426614174000"),
        ("LIBRARY", "sk-learn-and-something-longer"),
        ("FOLDER", "/home/Someone/Projects/Number1/With/A/Long/Path"),
    ],
)
def test_what_does_not(name, value):
    assert not is_secret(name, value)


# -- the clock, the folder, chance ----------------------------------------------------------------------------


def kept(shell, body, options=""):
    shell.run(f"%%kf_component c {options}\n{body}")
    return [note.partition(": ")[2] for note in shell.component("c").notes if ": keeps " in note]


@pytest.fixture
def clocks(shell):
    shell.run(
        "import time, os, random, uuid\nfrom datetime import datetime, date\n"
        "from pathlib import Path\nimport numpy as np"
    )
    return shell


@pytest.mark.parametrize(
    ("body", "call"),
    [
        ("now = datetime.now()", "datetime.now()"),
        ("year = date.today().year", "date.today()"),
        ("day = time.strftime('%Y')", "time.strftime()"),
        ("open(f'{datetime.now():%Y}.txt', 'w').close()", "datetime.now()"),
        ("root = os.getcwd()", "os.getcwd()"),
        ("name = f'run-{uuid.uuid4()}'", "uuid.uuid4()"),
        ("x = np.random.rand(3).tolist()", "random numbers without a seed"),
        ("x = random.random()", "random numbers without a seed"),
        ("x = np.random.default_rng().random()", "random numbers without a seed"),
        ("from random import choice\nx = choice([1, 2])", "random numbers without a seed"),
        ("x = list(range(9))\nrandom.shuffle(x)", "random numbers without a seed"),
        (
            "from sklearn.model_selection import train_test_split\nx, y = train_test_split([1, 2, 3])",
            "random numbers without a seed",
        ),
    ],
)
def test_a_value_that_would_be_another_one_later_is_noted_once(clocks, body, call):
    (note,) = kept(clocks, body)
    assert note.startswith(f"keeps {call}: a cached step has the values of an earlier run")
    assert kept(clocks, body, "--no-cache") == []


@pytest.mark.parametrize(
    "body",
    [
        "start = time.time()\nx = sum(range(9))\nprint(f'{time.time() - start:.1f} s')",
        "start = datetime.now()\nx = 1\nprint('took', datetime.now() - start)",
        "took = []\nfor i in range(2):\n    start = time.time()\n    took.append(time.time() - start)",
        "start = time.perf_counter()\nx = time.perf_counter() - start",
        "print(datetime.now(), os.getcwd())",
        "np.random.seed(1)\nx = np.random.rand(3).tolist()",
        "random.seed(1)\nx = random.random()",
        "rng = np.random.default_rng(1)\nx = rng.random()\ndel rng",
        "x = np.arange(3).sum().item()",
        "from sklearn.svm import SVC\nx = SVC().fit([[1], [2]], [0, 1]).score([[1]], [0])",
        "from sklearn.model_selection import train_test_split\nx, y = train_test_split([1, 2, 3], random_state=0)",
    ],
)
def test_a_measurement_and_what_has_a_seed_are_not(clocks, body):
    assert kept(clocks, body) == []


def test_a_time_that_is_put_out_is(clocks):
    import ast

    body = ast.parse("start = time.time()\nx = 1\nseconds = time.time() - start")
    assert list(fleeting_calls(body, clocks.ip.user_ns, ("seconds",))) == ["time.time()"]


def test_a_seed_of_a_set_up_cell_is_a_seed(clocks):
    clocks.run("%%kf_setup\nimport numpy as np\nnp.random.seed(1)")
    assert kept(clocks, "x = np.random.rand(3).tolist()") == []


def test_a_program_tells_names_with_any_characters():
    names = ("A B", "a,b", "new\nline", "50%", "é")
    assert sorted(read_by(f"    {reads_comment(['', *names])}\n")) == sorted(names)
    assert "\n" not in reads_comment(names)


def test_what_parameters_name_are_the_texts_in_them_and_the_names_that_have_these_in_them():
    names = ["APP_HOST", "APP_PORT", "PATH", "DB_1"]
    assert named_by({"a": ["host", 1, True, 0.5, ""]}, names) == {"a", "host", "1", "APP_HOST", "DB_1"}
