"""What of kfnb's own code travels with a step (``capture.embedded``), and how: packed, by a function of the program.

Argo keeps the program of a step about five times in a run, and has 1 MiB for the whole run; text in words would be most
of that. A pipeline's program has the functions in words, and ``kfnb_packed``, which packs them as it is compiled.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from kfnb.capture import embedded


def kfnb_packed(*functions: Callable[..., Any]) -> Any:
    """A function for a step's ``additional_funcs``: called there, ``kfnb_unpack`` defines ``functions``.

    They travel compressed, without what is for readers: Argo keeps each step's program several times, and not much.
    """
    import ast
    import base64
    import inspect
    import linecache
    import zlib

    tree = ast.parse("\n".join(map(inspect.getsource, functions)))
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
            if ast.get_docstring(node):
                del node.body[0]
    text = ast.unparse(tree).replace(" " * 4, " ")
    # base64: Kubernetes would change a $$, and Argo a {{
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    code = f'compile(zlib.decompress(base64.b64decode("{packed}")), "<kfnb>", "exec")'
    source = f"def kfnb_unpack():\n    import base64, zlib\n    exec({code}, globals())\n"
    names = {"__name__": "kfnb_unpack"}
    file = f"<kfnb_unpack {hash(source)}>"
    linecache.cache[file] = (
        len(source),
        None,
        source.splitlines(keepends=True),
        file,
    )  # KFP looks for it there
    exec(compile(source, file, "exec"), names)  # noqa: S102 - its own lines, above
    return names["kfnb_unpack"]


def needed(names: Iterable[str]) -> list[str]:
    """The embedded functions ``names`` and those that these call, in the order in which they are defined."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [word for word in re.findall(r"\bkfnb_\w+", source_of(name)) if word in vars(embedded)]
    return [name for name in vars(embedded) if name in found]


@cache
def source_of(name: str) -> str:
    """The source of an embedded function, or of ``kfnb_packed``."""
    return inspect.getsource(vars(embedded).get(name, kfnb_packed)).rstrip()
