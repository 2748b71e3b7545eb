"""The rules of the code layout: layers, the roles of a noun's files, no import cycles, no heavy imports, lengths."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "kfnb"

# from the top; a file imports from its own layer and from those below
LAYERS = [
    {"kfnb", "kfnb.cli", "kfnb.commands.shell", "kfnb.ipython", "kfnb.web"},
    {"kfnb.resources", "kfnb.convert.commands", "kfnb.execute.commands", "kfnb.spawning"},
    {"kfnb.live", "kfnb.commands"},
    {"kfnb.convert", "kfnb.pipeline", "kfnb.profiles", "kfnb.server"},
    {"kfnb.capture"},
    {"kfnb.execute", "kfnb.ui", "kfnb.target"},
    {"kfnb.artifacts", "kfnb.catalog", "kfnb.jobs", "kfnb.prices", "kfnb.remote"},
    {
        "kfnb.aliases",
        "kfnb.clock",
        "kfnb.compat",
        "kfnb.diagnostics",
        "kfnb.disk",
        "kfnb.errors",
        "kfnb.extras",
        "kfnb.entities",
        "kfnb.registry",
        "kfnb.secret_store",
        "kfnb.settings",
        "kfnb.sourcemap",
        "kfnb.text",
    },
]

MADE_UP = Path(__file__).parent / "registry" / "kettles"
"""A noun of the tests' own, which keeps to the rules as if it were in ``kfnb/resources``."""

NOUNS = sorted(
    folder.name for folder in (*(ROOT / "resources").iterdir(), MADE_UP) if (folder / "__init__.py").exists()
)
CLUSTER = {"kubeflow", "katib", "kserve", "trainer"}
ENGINES = {"local", *CLUSTER}

# what a part must never import, whatever the layers say
FORBIDDEN = {
    "kfnb.ui": {"kfnb.entities.run", "kfnb.resources.studies.model"},
    "kfnb.jobs": {"kfnb.remote", "kfnb.settings", "kfp"},
    "kfnb.entities": {"kfnb"},
    "kfnb.registry": {"kfnb"},
    "kfnb.resources.runs.local": {"kfnb.remote", "kfnb.capture", "kfnb.pipeline", "kfnb.settings"},
    "kfnb.resources.studies.local": {"kfnb.remote"},
}

# engines and views of one noun that another uses, and why
SHARED = {
    (
        "models.kubeflow",
        "runs.kubeflow",
    ): "the settings, the port-forwards and the object store are a cluster's",
    ("monitors.kubeflow", "schedules.kubeflow"): "the checks are a recurring run",
    (
        "monitors.kubeflow",
        "runs.kubeflow",
    ): "the settings, the port-forwards and the object store are a cluster's",
    ("monitors.kubeflow", "services.kserve"): "the logger of a service is part of its InferenceService",
    ("cluster.view", "monitors.view"): "the monitors of what is shown are drawn alike",
    ("models.view", "monitors.view"): "the monitors of what is shown are drawn alike",
    ("services.view", "monitors.view"): "the monitors of what is shown are drawn alike",
    ("models.view", "runs.view"): "the curves of metrics are drawn alike",
    (
        "runs.destination",
        "models.local",
    ): "runs are told in which registry they register what their steps saved",
    ("runs.kubeflow", "models.local"): "a run there registers what its steps saved in the registry here",
    ("runs.api", "training.trainer"): "a training on a cluster is a run",
    ("runs.local", "models.local"): "a run here registers what its steps saved in the registry here",
    ("schedules.kubeflow", "runs.kubeflow"): "a schedule sends a pipeline as a run does",
    ("schedules.local", "runs.local"): "a tick of a schedule here starts a run of the engine of runs",
    (
        "services.kserve",
        "models.kubeflow",
    ): "a version's folder is kept beside the models'",
    (
        "services.kserve",
        "runs.kubeflow",
    ): "the settings, the port-forwards and the object store are a cluster's",
    (
        "services.local",
        "runs.local",
    ): "a version's packages are installed, and its end is told, as a step's are",
    ("studies.katib", "runs.kubeflow"): "a trial's log and failure are those of a step on a cluster",
    ("studies.local", "runs.local"): "a trial is a step, or a run, of the engine of runs",
    (
        "training.trainer",
        "models.local",
    ): "a training registers what its ranks saved in the registry here, as runs do",
    (
        "training.trainer",
        "runs.kubeflow",
    ): "the object store is a cluster's; a log, a failure and a change are those of a run there",
    ("studies.view", "runs.view"): "metrics and durations are drawn alike",
    ("studies.wire", "runs.wire"): "errors are told alike",
    ("uploads.engine", "runs.kubeflow"): "a pipeline is stored as a run sends it",
}

HEAVY = {
    "grpc",
    "kfp",
    "kubernetes",
    "pandas",
    "papermill",
    "optuna",
    "numpy",
    "sklearn",
    "nbconvert",
    "plotly",
    "yaml",
}

SEARCHES = "kfnb.resources.studies.local.auto_sampler"
"""A sampler of Optuna's own kind, which only the process that searches imports."""


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    """The name and syntax tree of every module."""
    return tuple(_modules())


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(ROOT.rglob("*.py")):
        parts = file.relative_to(ROOT.parent).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        yield name, ast.parse(file.read_text(encoding="utf-8"))
    for file in sorted(MADE_UP.rglob("*.py")):
        parts = ("kfnb", "resources", *file.relative_to(MADE_UP.parent).with_suffix("").parts)
        source = file.read_text(encoding="utf-8").replace("tests.registry.kettles", "kfnb.resources.kettles")
        yield ".".join(part for part in parts if part != "__init__"), ast.parse(source)


def imports(tree: ast.AST, *, top_only: bool = False) -> Iterator[str]:
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting.extend(node.orelse)
        elif not (top_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            waiting.extend(ast.iter_child_nodes(node))


def layer_of(module: str) -> int | None:
    known = [
        (len(part), index)
        for index, parts in enumerate(LAYERS)
        for part in parts
        if module == part or module.startswith(part + ".")
    ]
    return max(known)[1] if known else None


@pytest.mark.parametrize(
    ("module", "tree"), list(modules()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_module_imports_only_what_stands_below_it(module: str, tree: ast.Module) -> None:
    own = layer_of(module)
    assert own is not None, f"{module} belongs to no layer"
    for imported in imports(tree):
        below = layer_of(imported)
        if imported.startswith("kfnb.") and below != 0:
            assert own <= (below or 0), f"{module} imports {imported}, which stands above it"
        if imported.startswith(("kfnb.ipython", "kfnb.cli")):
            assert own == 0, f"{module} imports {imported}, which stands above it"


def role_of(module: str) -> tuple[str, str]:
    """The noun that a module belongs to, and which of its files it is; empty for a module of no noun."""
    parts = module.split(".")
    if parts[:2] != ["kfnb", "resources"] or len(parts) < 4:
        return "", ""
    return parts[2], parts[3]


WORKING = ("kfnb.commands", "kfnb.jobs", "kfnb.live", "kfnb.remote")


def _works(module: str) -> bool:
    """Whether a module does more than compute with the data of its noun."""
    tree = dict(modules())[module]
    return any(imported.startswith(WORKING) or role_of(imported)[1] in ENGINES for imported in imports(tree))


@pytest.mark.parametrize("noun", NOUNS)
def test_the_files_of_a_noun_keep_to_their_roles(noun: str) -> None:
    for module, tree in modules():
        own, role = role_of(module)
        if own != noun:
            continue
        for imported in imports(tree):
            other, part = role_of(imported)
            if role == "model":
                assert part in ("", "model"), f"{module} is plain data, and imports {imported}"
            if role in ("view", "wire"):
                assert part not in {*ENGINES, "api", "handle"}, f"{module} draws, and imports {imported}"
                if other == noun and part not in ("model", "view", "wire"):
                    assert not _works(f"kfnb.resources.{noun}.{part}"), (
                        f"{module} draws, and imports {imported}"
                    )
            if role in ("commands", "completion", "display", "live"):
                assert part not in ENGINES, f"{module} imports the engine {imported}"
            if role == "local":
                assert part not in CLUSTER, f"{module} runs here, and imports {imported}"


def test_a_noun_uses_no_engine_and_no_view_of_another_but_where_it_says_why() -> None:
    met = set()
    for module, tree in modules():
        own, role = role_of(module)
        for imported in imports(tree):
            other, part = role_of(imported)
            if own and other and own != other and part in {*ENGINES, "view", "wire"}:
                met.add((f"{own}.{role}", f"{other}.{part}"))
    assert met == set(SHARED)


def test_the_engines_of_every_noun_are_in_the_same_file() -> None:
    known = {module for module, _ in modules()}
    folders = {(noun, engine) for module in known for noun, engine in [role_of(module)] if engine in ENGINES}
    for noun, engine in folders:
        assert {f"kfnb.resources.{noun}.engine", f"kfnb.resources.{noun}.{engine}.engine"} <= known


def test_no_two_classes_have_one_name() -> None:
    named: dict[str, list[str]] = {}
    for module, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not module.startswith("kfnb.resources.kettles"):
                named.setdefault(node.name, []).append(module)
    assert {name: where for name, where in named.items() if len(where) > 1} == {}


FIELD_WORDS = {
    "batching",
    "encoding",
    "layering",
    "listing",
    "paging",
    "planning",
    "polling",
    "ranking",
    "serving",
    "spending",
    "timing",
    "training",
    "wiring",
}
"""Nouns of the field in which a gerund is the usual name of the thing."""

GERUNDS = {
    "kfnb.capture.embedded.counting": "rows counted into bins",
    "kfnb.capture.embedded.saving": "what kf.save writes",
    "kfnb.capture.pending": "a component whose cell is about to run",
    "kfnb.jobs.scheduler.ticking": "a scheduler of an earlier kfnb starts it by this name",
    "kfnb.profiles.comparing": "profiles of two places: distances and sums",
    "kfnb.profiles.measuring": "profiles of tables and arrays",
    "kfnb.resources.monitors.estimates.estimating": "the estimate of a window",
    "kfnb.resources.monitors.estimates.preparing": "what an estimate needs of a version",
    "kfnb.resources.monitors.judging": "rules on a window",
    "kfnb.resources.monitors.local.ticking": "the schedules of monitors start it by this name",
    "kfnb.resources.monitors.preparing": "the reference of a version",
    "kfnb.resources.monitors.skew.finding": "a finding of skew",
    "kfnb.resources.monitors.watching": "the monitors of a backend, for other displays",
    "kfnb.resources.provenance.judging": "the verdict on two runs",
    "kfnb.spawning": "a public name",
}
"""Modules that are named by what is done in them, with the reason. An entry is removed with its module."""


def test_a_module_is_named_by_a_noun_and_not_by_what_is_done_in_it() -> None:
    found = {module for module, _ in modules() if module.endswith("ing")}
    assert {module for module in found if _last_word(module) not in FIELD_WORDS} == set(GERUNDS)


def _last_word(module: str) -> str:
    return module.rpartition(".")[2].rpartition("_")[2]


def test_no_module_imports_itself_by_way_of_others() -> None:
    known = dict(modules())
    graph = {
        module: {_module_of(name, known) for name in imports(tree)} - {None, module}
        for module, tree in known.items()
    }
    done: set[str] = set()

    def walk(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path[path.index(module) :], module))
        if module not in done:
            for imported in sorted(filter(None, graph[module])):
                walk(imported, (*path, module))
            done.add(module)

    for module in graph:
        walk(module, ())


def _module_of(name: str, known: Mapping[str, ast.Module]) -> str | None:
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name or None


@pytest.mark.parametrize("part", FORBIDDEN)
def test_a_part_never_imports_what_it_must_not_know(part: str) -> None:
    for module, tree in modules():
        if module == part or module.startswith(part + "."):
            for imported in imports(tree):
                for forbidden in FORBIDDEN[part]:
                    own = imported.startswith(part)
                    assert own or not (imported + ".").startswith(forbidden + "."), (
                        f"{module} imports {imported}"
                    )


def test_the_server_of_a_model_folder_imports_only_what_is_copied_with_it() -> None:
    for module, tree in modules():
        if module.startswith("kfnb.server"):
            for imported in imports(tree):
                assert not imported.startswith("kfnb") or imported.startswith(
                    ("kfnb.server.", "kfnb.capture.embedded.")
                ), f"{module} imports {imported}"


def test_nothing_heavy_is_imported_at_the_top_of_a_module() -> None:
    for module, tree in modules():
        allowed = {"optuna"} if module == SEARCHES else set()
        for imported in imports(tree, top_only=True):
            assert imported.split(".")[0] not in HEAVY - allowed, f"{module} imports {imported} at its top"


def test_no_two_of_the_names_that_travel_with_a_step_are_alike() -> None:
    """They share the namespace of the step, in which the second would replace the first without a word."""
    places: dict[str, list[str]] = {}
    for path in sorted((ROOT / "capture" / "embedded").glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for name in _bound(node):
                places.setdefault(name, []).append(path.name)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement of a module binds, without those that it imports."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif not isinstance(node, ast.Import | ast.ImportFrom):
        for one in ast.walk(node):
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                yield one.id


LONGEST_FUNCTION, LONGEST_FILE = 50, 300

LONG_FUNCTIONS: dict[str, int] = {
    "kfnb.capture.embedded.attempts.kfnb_attempts": 60,  # copied as a whole into steps
    "kfnb.capture.embedded.modules.kfnb_main": 60,  # copied as a whole into steps
    "kfnb.capture.embedded.model_types.kfnb_trusted": 65,  # a list of types
    "kfnb.capture.embedded.models.kfnb_write_skops": 55,  # copied as a whole into steps
    "kfnb.resources.monitors.api.monitor": 60,  # half of it is its options and their documentation
    "kfnb.resources.studies.api.tune": 60,  # half of it is its options and their documentation
    "kfnb.resources.schedules.api.schedule": 65,  # half of it is the documentation of its options
}
"""Functions with more lines than that. An entry may shrink, and is removed when it is no longer needed."""

LONG_FILES: dict[str, int] = {
    "kfnb.capture.capture": 400,
    "kfnb.capture.content": 400,
    "kfnb.capture.tracer": 450,
    "kfnb.capture.file_watch": 350,
    "kfnb.capture.names": 400,
    "kfnb.live.messages": 500,
    "kfnb.entities.run": 350,
    "kfnb.pipeline.pipeline": 400,
    "kfnb.pipeline.wiring": 500,
    "kfnb.pipeline.writer": 450,
    "kfnb.remote.http": 400,
    "kfnb.remote.kubernetes.pods": 450,
    "kfnb.resources.runs.commands": 350,
}
"""Files with more lines than that, with their limits. An entry may shrink; split the file before it would grow."""


def test_functions_and_files_are_no_longer_than_listed() -> None:
    functions, files = {}, {}
    for path in sorted(ROOT.rglob("*.py")):
        module = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        source = path.read_text(encoding="utf-8")
        files[module] = len(source.splitlines())
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions[f"{module}.{node.name}"] = (node.end_lineno or 0) - node.lineno + 1
    assert _beyond(functions, LONG_FUNCTIONS, LONGEST_FUNCTION) == {}
    assert _beyond(files, LONG_FILES, LONGEST_FILE) == {}


def _beyond(found: Mapping[str, int], allowed: Mapping[str, int], most: int) -> dict[str, int]:
    """What is longer than its limit, and the entries that are no longer needed (0)."""
    unneeded = {name: 0 for name in allowed if found.get(name, 0) <= most}
    return {name: lines for name, lines in found.items() if lines > allowed.get(name, most)} | unneeded


MOST_MODULES = 24
"""How many of kfnb's modules loading the extension imports: each costs a millisecond of the 50 that it may take."""


def test_loading_the_extension_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_cell('%load_ext kfnb').raise_error()\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))\n"
        "print(sum(name.startswith('kfnb.') for name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy, ours = done.stdout.strip().splitlines()[-2:]
    assert heavy == "[]"
    assert int(ours) <= MOST_MODULES
