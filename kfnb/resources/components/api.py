"""The public functions of components and pipelines: define, compile and show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kfnb import entities
from kfnb.errors import UsageError
from kfnb.pipeline import graph
from kfnb.pipeline import pipeline as pipelines
from kfnb.pipeline.component_view import view_component, view_transform
from kfnb.pipeline.pipeline import Built, Pipeline
from kfnb.pipeline.sdk import load_pipeline
from kfnb.pipeline.spec import Compiled, check_arguments, outline, read_spec
from kfnb.pipeline.workspace import workspace
from kfnb.settings import settings


def compile(pipeline: Any, path: str | Path) -> Path:
    """Write a pipeline to ``path``: as KFP's YAML, or for ``.py`` as a program of KFP's SDK that compiles to it."""
    target = Path(path)
    try:
        _write(pipeline, target)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror or error}") from None
    return target


def _write(pipeline: Any, target: Path) -> None:
    if target.suffix not in (".py", ".yaml", ".yml", ".json"):
        raise UsageError(f"{target} is neither .yaml nor .py: choose one of these formats")
    if target.suffix != ".py":
        pipelines.write_yaml(_kfp_object(pipeline), target)
        return
    if pipelines.is_kfp(pipeline) or _is_program(pipeline):
        what = pipeline if _is_program(pipeline) else "a KFP pipeline object"
        raise UsageError(f"{what} is already a program: only a notebook's pipeline can be written as .py")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(built(pipeline).program, encoding="utf-8")


def _kfp_object(pipeline: Any) -> Any:
    if pipelines.is_kfp(pipeline):
        return pipeline
    if _is_program(pipeline):
        return load_pipeline(str(pipeline))
    made = built(pipeline)
    return pipelines.compile_program(made.pipeline.name, made.program)


def show(name: str) -> entities.ComponentView | entities.Graph:
    """The view of a component or a transform with its dependencies, or of a pipeline's graph before it runs."""
    current = workspace()
    if name in current.notebook.components:
        return view_component(
            current.notebook, current.notebook.components[name], settings().base_image, settings().seed
        )
    if (transform := current.notebook.transform_of(name)) is not None:
        return view_transform(transform)
    if name.isidentifier() and name not in current.pipelines:
        raise current.unknown(name)
    compiled = spec_of(name)
    return graph.graph_of(compiled)


def spec_of(pipeline: Any, *, given: Mapping[str, Any] | None = None, seed: int | None = None) -> Compiled:
    """The compiled form of anything that can be submitted.

    A notebook's pipeline is compiled with ``seed`` (default: the setting); before that, which takes longer, ``given``
    arguments are checked.
    """
    if isinstance(pipeline, Compiled):
        return pipeline
    if pipelines.is_kfp(pipeline):
        return pipelines.from_kfp(pipeline)
    if _is_program(pipeline):
        return pipelines.from_kfp(load_pipeline(str(pipeline)))
    if str(pipeline).endswith(".ipynb"):
        raise UsageError(
            f"{pipeline} is a notebook:",
            hint="execute it with kfnb run, which runs the pipelines that it submits",
            ref=str(pipeline),
        )
    if isinstance(pipeline, Path) or (isinstance(pipeline, str) and _is_path(pipeline)):
        return read_spec(pipeline)
    made = built(pipeline, seed)
    if given is not None:
        check_arguments(outline(made.pipeline.name, made.wired.params.values()), given)
    return pipelines.compiled(made)


def parameters_of(pipeline: str) -> set[str]:
    """The names of the parameters of anything that can be submitted."""
    if pipeline in workspace().pipelines:
        return set(built(pipeline).wired.params)
    return set(spec_of(pipeline).spec["root"].get("inputDefinitions", {}).get("parameters", {}))


def built(pipeline: str | Pipeline, seed: int | None = None) -> Built:
    """A notebook's pipeline, built from its current components; ``seed`` defaults to the setting."""
    if isinstance(pipeline, str):
        pipeline = workspace().pipeline(pipeline)
    if not isinstance(pipeline, Pipeline):
        raise UsageError(
            f"{pipeline!r} is not a pipeline:",
            hint="give a name, a pipeline object, or a compiled file's path",
        )
    return pipelines.build(
        pipeline,
        image=settings().base_image,
        index_urls=settings().index_urls,
        seed=settings().seed if seed is None else seed,
    )


def _is_program(pipeline: Any) -> bool:
    """Whether a text refers to a file of KFP's SDK: ``file.py``, or ``file.py:NAME``."""
    return isinstance(pipeline, str | Path) and str(pipeline).partition(":")[0].endswith(".py")


def _is_path(text: str) -> bool:
    return text.endswith((".yaml", ".yml", ".json")) or "/" in text


def folder() -> str:
    """The notebook's folder."""
    return str(workspace().notebook.folder.resolve())
