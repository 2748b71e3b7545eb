"""Each layer imports only what stands below it, and nothing heavy is imported at the top of a file."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "kfnb"

ENGINES = {
    "kfnb.resources.runs.local",
    "kfnb.resources.runs.kubeflow",
    "kfnb.resources.studies.local",
    "kfnb.resources.studies.katib",
}

# from the top; a file imports from its own layer and from those below
LAYERS = [
    {"kfnb", "kfnb.cli", "kfnb.commands.shell", "kfnb.ipython"},
    {"kfnb.live"},
    {"kfnb.backends", "kfnb.commands", "kfnb.execute.commands", "kfnb.resources", "kfnb.tuning"},
    {"kfnb.pipeline"},
    {"kfnb.capture"},
    {"kfnb.execute", "kfnb.ui"},
    {"kfnb.artifacts"},
    {"kfnb.jobs"},
    {"kfnb.remote"},
    {
        "kfnb.resources.runs.local.step_errors",
        "kfnb.resources.runs.local.secret_store",
        "kfnb.diagnostics",
        "kfnb.compat",
        "kfnb.disk",
        "kfnb.errors",
        "kfnb.extras",
        "kfnb.model",
        "kfnb.registry",
        "kfnb.settings",
        "kfnb.sourcemap",
        "kfnb.text",
    },
]

# what a part must never import, whatever the layers say
FORBIDDEN = {
    "kfnb.ui": {"kfnb.model.run", "kfnb.model.study"},
    "kfnb.ipython": ENGINES,
    "kfnb.live": ENGINES,
    "kfnb.commands": ENGINES,
    "kfnb.resources.runs.local": {
        "kfnb.resources.runs.kubeflow",
        "kfnb.remote",
        "kfnb.capture",
        "kfnb.pipeline",
        "kfnb.settings",
    },
    "kfnb.resources.studies.local": {
        "kfnb.resources.studies.katib",
        "kfnb.resources.runs.kubeflow",
        "kfnb.remote",
    },
    "kfnb.jobs": {"kfnb.remote", "kfnb.settings", "kfp"},
    "kfnb.model": {"kfnb"},
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


def modules() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(ROOT.rglob("*.py")):
        parts = file.relative_to(ROOT.parent).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        yield name, ast.parse(file.read_text(encoding="utf-8"))


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
        if imported.startswith("kfnb.") and layer_of(imported) != 0:
            assert own <= (layer_of(imported) or 0), f"{module} imports {imported}, which stands above it"
        if imported.startswith(("kfnb.ipython", "kfnb.cli")):
            assert own == 0, f"{module} imports {imported}, which stands above it"


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


def test_nothing_heavy_is_imported_at_the_top_of_a_module() -> None:
    for module, tree in modules():
        allowed = {"optuna"} if module == SEARCHES else set()
        for imported in imports(tree, top_only=True):
            assert imported.split(".")[0] not in HEAVY - allowed, f"{module} imports {imported} at its top"


def test_loading_the_extension_imports_nothing_heavy() -> None:
    program = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_cell('%load_ext kfnb').raise_error()\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
