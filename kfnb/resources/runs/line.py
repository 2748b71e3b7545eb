"""What ``%kf_schedule``, ``kfnb schedule`` and the like do: the words that were read become calls of ``api``."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from kfnb.errors import StudyFailed, UsageError
from kfnb.model import UploadedPipeline, UploadList
from kfnb.pipeline.spec import Compiled
from kfnb.resources.runs import api
from kfnb.resources.runs.backend import LogLine
from kfnb.resources.runs.handle import Run, RunList
from kfnb.resources.runs.logs import Excerpt, wanted
from kfnb.resources.schedules.handle import Schedule, ScheduleList
from kfnb.resources.studies import api as searching
from kfnb.resources.studies.handle import Study
from kfnb.text.timespec import cron_note

Tell = Callable[[str], None]


def submit(
    found: Namespace, arguments: Mapping[str, Any], tell: Tell, study: str | Study | None = None
) -> Run:
    """``%kf_submit``: a pipeline is run; with ``study``, with what was best in it when it has ended."""
    # what is wrong with the pipeline is told before a study is waited for
    compiled = api.spec_of(found.pipeline, given=arguments if study is None else None)
    for word in _meant_otherwise(found, arguments, compiled):
        tell(
            f"note: --{word} is an option of its own: the parameter {word} of {compiled.name} is given as"
            f" -p {word} VALUE"
        )
    return api.submit(
        compiled,
        arguments,
        backend=found.backend,
        name=found.name,
        experiment=found.experiment,
        cache=not found.no_cache,
        from_study=None if study is None else _ended(study, tell),
        env=found.env,
        tell=tell,
    )


def _meant_otherwise(found: Namespace, arguments: Mapping[str, Any], compiled: Compiled) -> list[str]:
    """The options that were given while a parameter of the pipeline has the same name, and was not."""
    parameters = compiled.spec.get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    given = {name for name, value in vars(found).items() if value} - {"pipeline", "p", "bind"}
    return sorted(name for name in given & set(parameters) if name not in arguments)


def _ended(study: str | Study, tell: Tell) -> Study:
    """A study, once it has ended: it is waited for, as under Run All it has only just begun."""
    handle = study if isinstance(study, Study) else searching.find(study)
    now = handle.snapshot()
    if now.state.finished:
        return handle
    done = sum(trial.state.finished for trial in now.trials)
    of = "" if now.max_trials is None else f" of {now.max_trials}"
    tell(
        f"study {handle.name} is still running ({done}{of} trials): waiting for its end; interrupt to stop waiting"
    )
    with suppress(
        StudyFailed
    ):  # one that was stopped has a best trial too; where there is none, that is told next
        handle.wait()
    return handle


def runs(found: Namespace) -> RunList:
    """``%kf_runs``: the newest runs that are meant."""
    return api.runs(
        backend=found.backend,
        limit=found.limit,
        experiment=found.experiment,
        state=found.state,
        name=found.name,
        since=found.since,
        archived=found.archived,
    )


def logs(run: Run, found: Namespace, tail: int | None, out: Tell, tell: Tell) -> None:
    """``%kf_logs``: what a run's tasks wrote, the last ``tail`` lines of it where no number is given; None for all."""
    which = wanted(found.since, found.grep, found.level)
    excerpt = run.excerpt(found.task, which, _tail(found, tail), follow=found.follow)
    _print(excerpt, lambda: run.log_place(found.task), out, tell, named=found.task is None)


def trial_log(study: Study, found: Namespace, tail: int | None, out: Tell, tell: Tell) -> None:
    """``%kf_study NAME --logs TRIAL``: what a trial wrote, as ``logs`` has it."""
    lines = (LogLine("", text) for text in study.log_lines(found.logs))
    excerpt = Excerpt(lines, wanted(None, found.grep, found.level), _tail(found, tail))
    _print(excerpt, lambda: "", out, tell, named=False)


def _tail(found: Namespace, tail: int | None) -> int | None:
    if found.tail is None:
        return tail
    return None if found.tail == "all" else int(found.tail)


def _print(excerpt: Excerpt, place: Callable[[], str], out: Tell, tell: Tell, *, named: bool) -> None:
    """Print an excerpt; above it, how much is left out and where it is."""
    shown = 0
    for line in excerpt:
        if not shown and excerpt.left_out:
            tell(_left_out(excerpt, place()))
        shown += 1
        out(f"{line.task}  {line.text}" if named else line.text)
    if not shown and excerpt.seen:
        tell(f"({_amount(excerpt)} were written: none of them is asked for)")


def _left_out(excerpt: Excerpt, place: str) -> str:
    """How many lines stand before those that are shown, of how many, and where all are."""
    others = f"{excerpt.left_out:,} more {'that match ' if excerpt.which else ''}before these"
    where = f"; the whole log is in {place}" if place else ""
    return f"({others}, of {_amount(excerpt)}: --tail N or --tail all shows more{where})"


def _amount(excerpt: Excerpt) -> str:
    return f"{excerpt.seen:,} lines ({excerpt.size / 1e6:,.1f} MB)"


def shown(run: Run, found: Namespace, tell: Tell) -> Run:
    """``%kf_run``: a run; with ``--keep-files``, files that its steps wrote are copied beside the notebook."""
    if found.force and not found.keep_files:
        raise UsageError("--force overwrites what --keep-files copies: give both")
    if found.keep_files:
        if not run.state.finished:
            tell(f"run {run.id} is not finished: only the files of finished steps are kept")
        keep_files(run, found.keep_files, tell, force=found.force)
    return run


def keep_files(run: Run, patterns: Sequence[str], tell: Tell, *, force: bool = False) -> None:
    """``--keep-files``: files that the run's steps wrote are copied beside the notebook."""
    for line in run.keep_files(*patterns, folder=api.folder(), force=force).told:
        tell(line)


def upload(found: Namespace, tell: Tell) -> UploadedPipeline | UploadList:
    """``%kf_upload``: a pipeline is uploaded, or those that were are listed."""
    if found.list:
        return api.uploads(found.pipeline or "")
    if not found.pipeline:
        raise UsageError("say which pipeline is to be uploaded, or --list to see those that were")
    return api.upload(
        found.pipeline, name=found.name, version=found.version, description=found.description, tell=tell
    )


def schedule(found: Namespace, arguments: Mapping[str, Any], tell: Tell) -> Schedule | ScheduleList | None:
    """``%kf_schedule``: a pipeline is scheduled; or schedules are listed, or one is paused, resumed, deleted."""
    asked = [verb for verb in ("list", "pause", "resume", "delete") if getattr(found, verb)]
    if not asked and not found.pipeline:
        raise UsageError("say which pipeline, and --cron or --every; or --list to see the schedules")
    if not asked:
        return _scheduled(found, arguments, tell)
    extra = found.pipeline or next(iter(arguments), "")
    if len(asked) > 1 or extra:
        raise UsageError(f"--{asked[0]} stands alone: leave out {f'--{asked[1]}' if asked[1:] else extra}")
    if found.list:
        return api.schedules()
    one = api.find_schedule(getattr(found, asked[0]))
    if asked == ["delete"]:
        one.delete()
        tell(f"deleted schedule {one.name} ({one.id}); the runs that it started stay")
        return None
    return one.pause() if found.pause else one.resume()


def _scheduled(found: Namespace, arguments: Mapping[str, Any], tell: Tell) -> Schedule:
    made = api.schedule(
        api.uploaded(found.pipeline, found.version) if found.uploaded or found.version else found.pipeline,
        arguments,
        cron=found.cron,
        every=found.every,
        name=found.name,
        experiment=found.experiment,
        start=found.start,
        end=found.end,
        catch_up=not found.no_catch_up,
        max_concurrency=found.max_concurrency,
        enabled=not found.paused,
        cache=not found.no_cache,
        env=found.env,
        tell=tell,
    )
    note = cron_note(found.cron) if found.cron else ""
    if note:
        tell(note)
    return made


def archive(found: Namespace, chosen: list[Run], tell: Tell) -> None:
    """``%kf_archive``: runs are put away, or back."""
    for run in chosen:
        if found.undo:
            run.unarchive()
        else:
            run.archive()
        tell(f"run {run.id} is {'back in the lists' if found.undo else 'archived'}")


def delete(found: Namespace, chosen: list[Run], tell: Tell, ask: Callable[[str], str] | None) -> None:
    """``%kf_delete``: finished runs are removed for good, once somebody has said yes, or said so before."""
    for run in chosen:  # before anything is deleted
        state = run.state
        if not state.finished:
            raise UsageError(f"run {run.id} is {state}: stop it first, or wait for it; nothing was deleted")
    if not found.yes and not _agreed(chosen, ask):
        tell("nothing was deleted")
        return
    for run in chosen:
        run.delete()
        tell(f"deleted run {run.id}")


def _agreed(chosen: list[Run], ask: Callable[[str], str] | None) -> bool:
    named = ", ".join(f"{run.id} ({run.name})" for run in chosen)
    if ask is None:
        raise UsageError(f"{named}: give --yes to delete for good, since nobody is here to be asked")
    count = "this run" if len(chosen) == 1 else f"these {len(chosen)} runs"
    return ask(f"Delete {count} for good: {named}? [y/N] ").strip().lower() in ("y", "yes")
