"""How a step imports the notebook's modules, and what its worker processes find in ``__main__``."""

from __future__ import annotations

from typing import Any

from kfnb.capture.embedded.files import kfnb_files_now


def kfnb_modules(files: dict[str, str], begun: tuple[str, str, dict[str, Any]] | None = None) -> None:
    """Make the modules beside the notebook importable here; ``files`` maps their paths to their source.

    A step that has ``begun`` in its own folder has them there, and finds its files beside them as the notebook does; a
    module that an earlier step wrote is there already.
    """
    import os
    import sys
    import tempfile

    roots = {name.split("/")[0].removesuffix(".py") for name in files}
    for name in [name for name in sys.modules if name.split(".")[0] in roots]:
        del sys.modules[name]  # an installed module of the same name
    folder = begun[1] if begun is not None else tempfile.mkdtemp(prefix="kfnb-modules-")
    for name, source in files.items():
        path = os.path.join(folder, name)
        if os.path.exists(path):
            continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
    if begun is not None:
        begun[2].update(kfnb_files_now(begun[0]))  # the step does not output them
    sys.path.insert(0, folder)


def kfnb_main(step: str, travelled: int) -> None:
    """Make this module ``__main__``, as a notebook is, with a file that a spawned process can run as its own.

    So the notebook's functions and classes reach worker processes as in a notebook: by name over a fork, by value with
    joblib. They also reach processes that multiprocessing spawns, which run the file of ``__main__``: that file defines
    what the function ``step`` defines, not what it computes. Of the ``travelled`` statements that follow this call, it
    runs all that bind names; of the cell's, the functions, classes, imports and plain constants.
    """
    import ast
    import os
    import sys

    module: Any = sys.modules[__name__]
    program = module.__file__
    text = """


def kfnb_define(program, step, numbers):
    import ast
    import sys

    with open(program, encoding="utf-8") as file:
        body = next(node.body for node in ast.parse(file.read()).body if getattr(node, "name", "") == step)
    for number in numbers:
        try:
            exec(compile(ast.Module([body[number]], []), program, "exec"), globals())
        except Exception as error:
            print(f"no worker process has line {body[number].lineno} of its step: {error}", file=sys.stderr)
"""

    def defines(node: ast.stmt) -> bool:
        if isinstance(node, (ast.If, ast.Try)):
            return all(defines(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt))
        if isinstance(node, ast.Assign):
            plain = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.BinOp, ast.Lambda)
            return isinstance(node.value, plain)
        return isinstance(
            node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        )

    with open(program, encoding="utf-8") as file:
        functions = [node for node in ast.parse(file.read()).body if isinstance(node, ast.FunctionDef)]
    body = next(node.body for node in functions if node.name == step)
    first = 1 + next(number for number, node in enumerate(body) if ast.unparse(node).startswith("kfnb_main("))
    numbers = [
        number
        for number, node in enumerate(body)
        if number >= first
        and (not isinstance(node, ast.Expr) if number < first + travelled else defines(node))
    ]
    path = os.path.join(os.path.dirname(program), "kfnb_main.py")
    with open(f"{path}.{os.getpid()}", "w", encoding="utf-8") as file:
        file.write(f"{text}\n\nkfnb_define({program!r}, {step!r}, {numbers})\n")
    os.replace(f"{path}.{os.getpid()}", path)  # concurrent trials share the folder
    module.__name__, module.__file__, module.__spec__ = "__main__", path, None
    sys.modules["__main__"] = sys.modules["__mp_main__"] = module
