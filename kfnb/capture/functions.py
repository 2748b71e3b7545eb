"""Function components: a cell that holds one annotated ``def`` becomes that function's component.

The function is written for KFP: its parameters and result are annotated with KFP's types. Its cell only defines it,
so its inputs and outputs come from the annotations, not from values.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kfnb.capture.cell import Cell
from kfnb.capture.component import Component, ComponentInput
from kfnb.capture.names import StarNames, read_names
from kfnb.capture.notebook import DeclaredParameter
from kfnb.capture.values import PARAMETER_TYPES, ValueKind
from kfnb.errors import CaptureError

_ALIASES = {"List": "list", "Dict": "dict", "Optional": ""}


def declared(component: Component, star_names: StarNames) -> Component:
    """The component with the function's parameters, and the names that the function reads when called."""
    function, cell = component.function, component.cell
    assert function is not None
    if function.decorator_list:
        raise CaptureError(
            f"{cell.place(function.lineno)}: decorators are not supported on a component's function:",
            hint=f"use options of %%kf_component, or define {function.name} in a separate cell",
            ref=str(cell.place(function.decorator_list[0].lineno)),
        )
    if function.name != cell.name:
        raise CaptureError(
            f"{cell.place(function.lineno)}: the function is named {function.name} and the component {cell.name}:",
            hint="use the same name for both",
            ref=str(cell.place(function.lineno)),
        )
    params = [
        DeclaredParameter(argument.arg, kind.type, default)
        for argument, default in _arguments(function)
        if (kind := _input_kind(argument, cell)) is not None and kind.parameter
    ]
    options = replace(component.options, params=(*component.options.params, *params))
    call = ast.copy_location(
        ast.Expr(ast.copy_location(ast.Name(function.name, ast.Load()), function)), function
    )
    return replace(component, options=options, names=read_names(ast.Module([function, call], []), star_names))


def finished(component: Component, namespace: Mapping[str, Any]) -> Component:
    """The component with the inputs and outputs that the function's annotations declare."""
    function = component.function
    assert function is not None
    inputs = {
        argument.arg: ComponentInput(argument.arg, kind, "", 0)
        for argument, _ in _arguments(function)
        if (kind := _input_kind(argument, component.cell)) is not None and not kind.parameter
    }
    outputs = {
        argument.arg: kind
        for argument, _ in _arguments(function)
        if (kind := _output_kind(argument.annotation)) is not None
    }
    returned = getattr(namespace.get(function.name), "__annotations__", {}).get("return")
    outputs |= _result_kinds(returned)
    return replace(component, inputs=inputs, outputs=outputs)


def _arguments(function: ast.FunctionDef) -> list[tuple[ast.arg, Any]]:
    """Each argument with the value of its default, or None."""
    arguments = function.args
    if arguments.vararg or arguments.kwarg:
        raise CaptureError(f"{function.name}: * and ** arguments are not supported in a component's function")
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = [
        *zip(positional, defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return [(argument, _literal(default, argument.arg)) for argument, default in pairs]


def _literal(node: ast.expr | None, name: str) -> Any:
    if node is None:
        return None
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise CaptureError(
            f"the default of {name} is not a literal: KFP stores defaults in the pipeline's file"
        ) from None


def _input_kind(argument: ast.arg, cell: Cell) -> ValueKind | None:
    """The kind of an input; None for an argument that is an output, or that KFP gives."""
    annotation = argument.annotation
    if annotation is None or _output_kind(annotation) is not None:
        return None
    if _word(annotation) == "PipelineTaskFinalStatus":
        return None  # KFP itself gives it to the task of an exit handler
    if isinstance(annotation, ast.Subscript) and _word(annotation.value) == "Optional":
        annotation = annotation.slice
    if isinstance(annotation, ast.Subscript) and _word(annotation.value) == "Input":
        return ValueKind(_word(annotation.slice))
    word = _parameter_word(annotation)
    if word in PARAMETER_TYPES:
        return ValueKind(word)
    raise CaptureError(
        f"{cell.place(argument.lineno)}: {argument.arg} is annotated {ast.unparse(annotation)}; a component's function"
        f" takes {', '.join(PARAMETER_TYPES)} or Input[Dataset] and its like"
    )


def _parameter_word(annotation: ast.expr) -> str:
    if isinstance(annotation, ast.Subscript):
        outer = _word(annotation.value)
        return _parameter_word(annotation.slice) if outer == "Optional" else _ALIASES.get(outer, outer)
    word = _word(annotation)
    return _ALIASES.get(word, word)


def _output_kind(annotation: ast.expr | None) -> ValueKind | None:
    if isinstance(annotation, ast.Subscript) and _word(annotation.value) == "Output":
        return ValueKind(_word(annotation.slice))
    if isinstance(annotation, ast.Call) and _word(annotation.func) == "OutputPath":
        return ValueKind(_word(annotation.args[0]) if annotation.args else "str")
    return None


def _result_kinds(returned: Any) -> dict[str, ValueKind]:
    if returned is None:
        return {}
    if hasattr(returned, "_fields"):
        return {name: _kind_of_type(returned.__annotations__[name]) for name in returned._fields}
    return {"Output": _kind_of_type(returned)}


def _kind_of_type(annotation: Any) -> ValueKind:
    origin = getattr(annotation, "__origin__", annotation)
    return ValueKind(getattr(origin, "__name__", "Artifact"))


def _word(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
