"""The magics that define components and pipelines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kfnb import options
from kfnb.capture.component import Options
from kfnb.errors import UsageError
from kfnb.ipython.magic import Magics, reads
from kfnb.pipeline import pipeline as pipelines
from kfnb.resources.runs import api

if TYPE_CHECKING:
    from kfnb.model import ComponentView, Graph
    from kfnb.pipeline.pipeline import Pipeline


class PipelineMagics(Magics):
    """Components and pipelines."""

    @reads(options.component)
    def kf_component(self, line: str, body: str | None = None) -> Any:
        if (
            body is not None
        ):  # called by a program; typed in a cell, it is the line form with the code after it
            result = self.kernel.shell.run_cell(f"%%kf_component {line}\n{body}")
            result.raise_error()
            return result.result
        found = options.component().read(line)
        params = tuple(options.parameter(text) for text in found.param)
        options.unique([param.name for param in params], "--param")
        options.unique(found.output, "--output")
        chosen = Options(
            params=params,
            outputs=tuple(found.output),
            packages=tuple(found.package),
            image=found.image,
            retries=options.count(found.retries, "--retries"),
            cache=not found.no_cache,
            pod=options.read_pod(found),
        )
        if found.continues and replace(chosen, params=(), outputs=(), packages=()) != Options():
            raise UsageError(
                f"--continue takes --param, --output and --package: give the rest to the first cell of {found.name}"
            )
        self.kernel.begin_component(found.name, chosen, found.bind, continues=found.continues)
        return None

    @reads(options.parameters)
    def kf_parameters(self, line: str, body: str | None = None) -> Any:
        if body is not None:
            result = self.kernel.shell.run_cell(f"%%kf_parameters {line}\n{body}")
            result.raise_error()
            return result.result
        options.parameters().read(line)
        self.kernel.begin_parameters()
        return None

    @reads(options.setup)
    def kf_setup(self, line: str, body: str | None = None) -> Any:
        if body is not None:
            result = self.kernel.shell.run_cell(f"%%kf_setup {line}\n{body}")
            result.raise_error()
            return result.result
        options.setup().read(line)
        self.kernel.begin_set_up()
        return None

    @reads(options.pipeline_line, options.pipeline_cell)
    def kf_pipeline(self, line: str, body: str | None = None) -> Pipeline:
        current = self.kernel.workspace
        if body is None:
            found = options.pipeline_line().read(line)
            pipeline = pipelines.define_chain(current.notebook, found.name, found.steps)
        else:
            found = options.pipeline_cell().read(line)
            params = [options.parameter(text) for text in found.param]
            options.unique([param.name for param in params], "--param")
            pipeline = pipelines.define(
                current.notebook, found.name, body, number=self.kernel.number, params=params
            )
        built = api.built(pipeline)
        current.pipelines[pipeline.name] = pipeline
        for note in built.wired.notes:
            print(f"note: {note}")
        return self.bound(found.bind, pipeline)

    @reads(options.show)
    def kf_show(self, line: str) -> ComponentView | Graph:
        found = options.show().read(line)
        return self.bound(found.bind, api.show(found.name))

    @reads(options.compile_)
    def kf_compile(self, line: str) -> None:
        found = options.compile_().read(line)
        if not found.to and not found.python:
            raise UsageError("%kf_compile: say where to: --to FILE.yaml, --python FILE.py, or both")
        for path in filter(None, (found.to, found.python)):
            print(f"wrote {api.compile(found.pipeline, path)}")
