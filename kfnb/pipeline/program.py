"""The program of a pipeline: a KFP SDK file that a person can read, run and keep without kfnb.

kfnb compiles this very program, so the file and the compiled pipeline cannot differ.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from kfnb.capture.body import INDENT
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.notebook import DeclaredParameter
from kfnb.entities import kfp_name
from kfnb.pipeline.packed_code import needed, source_of
from kfnb.pipeline.step import Step
from kfnb.pipeline.wiring import Producer, Wired

_BLANK = " "
_KFP_IMPORTS = {"from kfp import dsl", "from kfp import kubernetes", "import kfp"}
_ARTIFACTS = ("Artifact", "ClassificationMetrics", "Dataset", "HTML", "Markdown", "Metrics", "Model")


def write_program(
    name: str,
    steps: Sequence[Step],
    wired: Wired,
    dependencies: Dependencies,
    *,
    image: str,
    index_urls: Sequence[str] = (),
) -> str:
    """The source of the program that defines pipeline ``name`` and, run as a script, compiles it.

    ``image`` is the default base image of steps; ``dependencies`` are the dependencies of the pipeline's own body.
    """
    groups = needed(helper for step in steps for helper in step.helpers)
    helpers = [helper for group in groups for helper in group]
    parts = [
        *(source_of(helper) for helper in [*helpers, *(["kfnb_packed"] if helpers else [])]),
        *(_step(step, step.component.options.image or image, index_urls) for step in steps),
        _pipeline(name, wired, dependencies),
    ]
    text = "\n\n\n".join(parts)
    # the compiled pipeline does not depend on the file's name
    main = f'if __name__ == "__main__":\n{INDENT}compiler.Compiler().compile({name}, "{name}.yaml")\n'
    return f"{_imports(text, wired, dependencies)}\n\n\n{text}\n\n\n{main}"


def _imports(text: str, wired: Wired, dependencies: Dependencies) -> str:
    named = {node.id for one in wired.body for node in ast.walk(one) if isinstance(node, ast.Name)}
    words = set(re.findall(r"\w+", text))
    dsl = [word for word in (*_ARTIFACTS, "Input", "Output", "OutputPath", "InputPath") if word in words]
    typing = [word for word in ("Any", "Dict", "List", "NamedTuple", "Optional") if word in words]
    abc = [word for word in ("Callable", "Mapping", "Sequence") if word in words]
    lines = [
        '"""A Kubeflow pipeline, written by kfnb from a notebook."""\n',
        f"from collections.abc import {', '.join(abc)}" if abc else "",
        f"from typing import {', '.join(typing)}" if typing else "",
        _BLANK,
        f"from kfp import compiler, dsl{', kubernetes' if 'kubernetes' in named else ''}",
        f"from kfp.dsl import {', '.join(sorted(dsl))}" if dsl else "",
        *sorted({one.text for one in dependencies.imports.values()} - _KFP_IMPORTS),
    ]
    return "\n".join(line.rstrip(" ") for line in lines if line)


def _step(step: Step, image: str, index_urls: Sequence[str]) -> str:
    lines = [f"{INDENT}base_image={image!r},"]
    if step.requirements:
        packages = "".join(f"{INDENT * 2}{requirement!r},\n" for requirement in step.requirements)
        lines.append(f"{INDENT}packages_to_install=[\n{packages}{INDENT}],")
    if index_urls:
        lines.append(f"{INDENT}pip_index_urls={list(index_urls)!r},")
    if step.helpers:
        groups = [f"{INDENT * 3}[{', '.join(group)}],\n" for group in needed(step.helpers)]
        lines.append(
            f"{INDENT}additional_funcs=[\n{INDENT * 2}kfnb_packed(\n{''.join(groups)}{INDENT * 2}),\n{INDENT}],"
        )
    return "@dsl.component(\n" + "\n".join(lines) + "\n)\n" + step.text.rstrip()


def _pipeline(name: str, wired: Wired, dependencies: Dependencies) -> str:
    constants = [f"{constant} = {value}" for constant, value in dependencies.constants.items()]
    sources = [source.text for source in dependencies.sources]
    result, returned = _results(name, wired.results)
    arguments = _arguments(list(wired.params.values()))
    body = ast.unparse(ast.fix_missing_locations(ast.Module(wired.body, [])))
    lines = [INDENT + line if line.strip() else line for line in body.split("\n")]
    returns = f" -> {_class(name)}" if returned else ""
    function = "\n".join(
        [f'@dsl.pipeline(name="{kfp_name(name)}")', f"def {name}({arguments}){returns}:", *lines, *returned]
    )
    return "\n\n".join([*constants, *sources, *result, function])


def _arguments(params: list[DeclaredParameter]) -> str:
    required = [f"{param.name}: {param.type}" for param in params if param.default is None]
    optional = [f"{p.name}: {p.type} = {p.default!r}" for p in params if p.default is not None]
    return ", ".join([*required, *optional])


def _results(name: str, results: dict[str, Producer]) -> tuple[list[str], list[str]]:
    """The class of the pipeline's outputs, and the statement that returns them."""
    if not results:
        return [], []
    fields = ", ".join(
        f'("{output}", {made.component.outputs[output].type})' for output, made in results.items()
    )
    values = ", ".join(f'{output}={made.task}.outputs["{output}"]' for output, made in results.items())
    kind = _class(name)
    return [f'{kind} = NamedTuple("{kind}", [{fields}])'], [f"{INDENT}return {kind}({values})"]


def _class(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_")) + "Outputs"
