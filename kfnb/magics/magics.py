"""The magics: each reads its words, calls one public function, and gives its handle back."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.error import UsageError as IPythonUsageError

from kfnb import api, managing, model, options
from kfnb.backends.run import Run
from kfnb.capture.component import Options
from kfnb.config import Kfnb, settings
from kfnb.errors import KfnbError, UsageError
from kfnb.pipeline import pipeline as pipelines

if TYPE_CHECKING:
    from kfnb.backends.run import RunList
    from kfnb.backends.schedule import Schedule, ScheduleList
    from kfnb.magics.kernel import Kernel
    from kfnb.model import Comparison, ComponentView, ExperimentList, Graph, UploadedPipeline, UploadList
    from kfnb.pipeline.pipeline import Pipeline

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def reads(
    parser: Callable[[], options.Parser], cell: Callable[[], options.Parser] | None = None
) -> Callable[[F], F]:
    """A magic whose words ``parser`` reads (``cell`` those of its cell form): its help, and its errors in one line."""

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def magic(self: Any, line: str, *body: str) -> Any:
            __tracebackhide__ = True
            try:
                # IPython hands a silencing semicolon on to the magic
                return method(self, line.rstrip().removesuffix(";"), *body)
            except options.Help as text:
                print(text)
                return None
            except (KfnbError, IPythonUsageError, KeyboardInterrupt):
                raise
            except Exception as error:
                raise KfnbError(
                    f"kfnb met an error of its own ({type(error).__name__}: {error});"
                    " %kf_config debug=true shows where"
                ) from error

        shown = [p().format_help() for p in (parser, cell) if p is not None]
        magic.__doc__ = "\n".join(shown)
        return magic  # type: ignore[return-value]

    return decorate


class KfnbMagics:
    """kfnb's magics, a method each."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    @reads(options.config)
    def kf_config(self, line: str) -> Kfnb | None:
        found = options.config().read(line)
        for one in found.settings:
            name, equals, value = one.partition("=")
            if not equals:
                raise UsageError(f"{one}: write name=value, or nothing to see the settings")
            settings().set(name.strip(), value.strip())
        return None if found.settings else settings()

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
            cpu=options.quantity(found.cpu, "--cpu", "m", "2 or 500m"),
            memory=options.quantity(found.memory, "--memory", "[EPTGMK]i?", "4G or 512Mi"),
            gpu=options.count(found.gpu, "--gpu"),
            retries=options.count(found.retries, "--retries"),
            cache=not found.no_cache,
        )
        self.kernel.begin_component(found.name, chosen, _name(found.bind))
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
        return self._bound(found.bind, pipeline)

    @reads(options.show)
    def kf_show(self, line: str) -> ComponentView | Graph:
        found = options.show().read(line)
        return self._bound(found.bind, api.show(found.name))

    @reads(options.compile_)
    def kf_compile(self, line: str) -> None:
        found = options.compile_().read(line)
        if not found.to and not found.python:
            raise UsageError("%kf_compile: say where to: --to FILE.yaml, --python FILE.py, or both")
        for path in filter(None, (found.to, found.python)):
            print(f"wrote {api.compile(found.pipeline, path)}")

    @reads(options.submit)
    def kf_submit(self, line: str) -> Run:
        found, arguments = options.submit().read_with_arguments(line)
        run = api.submit(
            found.pipeline,
            arguments,
            backend=found.backend,
            name=found.name,
            experiment=found.experiment,
            cache=not found.no_cache,
        )
        self._bound(found.bind, run)
        if not self.kernel.attended:
            self._wait(run)
        return run

    @reads(options.run)
    def kf_run(self, line: str) -> Run:
        found = options.run().read(line)
        return self._bound(found.bind, api.run(found.run))

    @reads(options.stop)
    def kf_stop(self, line: str) -> None:
        run = api.run(options.stop().read(line).run)
        run.stop()
        print(f"stopping run {run.id}")

    @reads(options.retry)
    def kf_retry(self, line: str) -> Run:
        found = options.retry().read(line)
        run = self._bound(found.bind, api.run(found.run).retry())
        if not self.kernel.attended:
            self._wait(run)
        return run

    @reads(options.runs)
    def kf_runs(self, line: str) -> RunList:
        found = options.runs().read(line)
        return self._bound(found.bind, managing.runs(found))

    @reads(options.archive)
    def kf_archive(self, line: str) -> None:
        found = options.archive().read(line)
        managing.archive(found, api.handles(*map(self._run, found.runs)), print)

    @reads(options.delete)
    def kf_delete(self, line: str) -> None:
        found = options.delete().read(line)
        ask = input if self.kernel.attended else None
        managing.delete(found, api.handles(*map(self._run, found.runs)), print, ask)

    @reads(options.experiments)
    def kf_experiments(self, line: str) -> ExperimentList:
        found = options.experiments().read(line)
        return self._bound(found.bind, api.experiments())

    @reads(options.upload)
    def kf_upload(self, line: str) -> UploadedPipeline | UploadList:
        found = options.upload().read(line)
        return self._bound(found.bind, managing.upload(found))

    @reads(options.schedule)
    def kf_schedule(self, line: str) -> Schedule | ScheduleList | None:
        found, arguments = options.schedule().read_with_arguments(line)
        return self._bound(found.bind, managing.schedule(found, arguments, print))

    @reads(options.compare)
    def kf_compare(self, line: str) -> Comparison:
        found = options.compare().read(line)
        return self._bound(found.bind, api.compare(*map(self._run, found.runs), whole=found.all))

    @reads(options.logs)
    def kf_logs(self, line: str) -> None:
        found = options.logs().read(line)
        for text in api.log_lines(found.run, found.task, follow=found.follow):
            print(text)

    def _run(self, word: str) -> Any:
        """What a word means where a run is wanted: a name of the notebook's that is bound to one, or an id."""
        value = self.kernel.shell.user_ns.get(word)
        return value if isinstance(value, Run | model.Run) else word

    def _bound(self, name: str | None, value: T) -> T:
        if _name(name) is not None:
            self.kernel.shell.user_ns[name] = value
        return value

    def _wait(self, run: Run) -> None:
        """Wait for a run as nobody is there to watch it; a failed one is shown before it fails the cell."""
        from IPython.display import display

        try:
            run.wait()
        except KfnbError:
            display(run)
            raise


def _name(text: str | None) -> str | None:
    """The name that ``-o`` gives, None where it was not given. Raises ``UsageError`` for what is no name."""
    if text is not None and not text.isidentifier():
        raise UsageError(f"-o {text}: that is no name")
    return text
