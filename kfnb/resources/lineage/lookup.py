"""What a reference names in the index: a version, a run, a task, an artifact, a service, content, or a file."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kfnb.artifacts.digests import Digests
from kfnb.catalog.records import DATASET, MODEL, SERVICE
from kfnb.catalog.schema import content_key, digest_range
from kfnb.catalog.walk import select
from kfnb.entities.run import kfp_name
from kfnb.errors import NotFound, UsageError, did_you_mean
from kfnb.resources.lineage.graph import StartingPoint
from kfnb.resources.lineage.reference import Reference

_TYPES = {"data": DATASET, "model": MODEL}
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{8,64})")
_TASKS = """select x.name, x.id from units u join executions x on x.id >= u.executions and x.id < u.executions_end
    where u.id = ? order by x.id"""
_CANDIDATES = 200
_SHOWN = 10
_WHOLE = 64


def find(index: sqlite3.Connection, reference: Reference) -> StartingPoint:
    """Find what a reference names. Raises ``NotFound``, and ``UsageError`` for an ambiguous reference."""
    found, name = _version(index, reference), reference.name
    if found is None and not reference.kind:
        found = (
            _part_of_run(index, name) or _service(index, name) or _content(index, name) or _file(index, name)
        )
    if found is None:
        raise NotFound(
            f"unknown reference {reference}:", hint=_hint(index, str(reference)), ref=str(reference)
        )
    return found


def _hint(index: sqlite3.Connection, ref: str) -> str:
    """The hint for an unknown reference: similar ones."""
    name, at, _ = ref.rpartition(":")[2].partition("@")
    if not at:
        return did_you_mean(
            ref, _known(index), "give a run, RUN/TASK, a version (churn@3), a service, a digest or a file"
        )
    known = names(index)
    own = [one for one in known if one.startswith(f"{name}@")]
    if own:
        more = f", and {len(own) - _SHOWN} more" if len(own) > _SHOWN else ""
        return f"{name} has {', '.join(own[:_SHOWN])}{more}"
    return did_you_mean(ref, known, f"no data set or model is called {name}")


def names(index: sqlite3.Connection) -> list[str]:
    """All references to versions."""
    return [name for (name,) in index.execute("select distinct name from names order by name")]


def _version(index: sqlite3.Connection, reference: Reference) -> StartingPoint | None:
    query = "select a.content, a.type from names n join artifacts a on a.id = n.artifact where n.name = ?"
    rows = index.execute(query, (reference.name,)).fetchall()
    types = sorted({type for _, type in rows if not reference.kind or type == _TYPES[reference.kind]})
    if len(types) > 1:
        hint = f"write data:{reference} or model:{reference}"
        raise UsageError(f"{reference} is a data set and a model:", hint=hint, ref=str(reference))
    return _start(reference.name, contents=(content for content, type in rows if type in types))


def _part_of_run(index: sqlite3.Connection, ref: str) -> StartingPoint | None:
    """``RUN``, ``RUN/TASK`` or ``RUN/TASK/OUTPUT``."""
    begun, slash, part = ref.partition("/")
    if not begun:
        return None
    query = "select id, run from contexts where run = ?1 or substr(run, 1, length(?1)) = ?1 order by run != ?1, run"
    rows = index.execute(query, (begun,)).fetchall()
    if not rows:
        return None
    runs = [run for _, run in rows]
    if runs[0] != begun and len(runs) > 1:
        shown = ", ".join(runs[:3]) + (", ..." if len(runs) > 3 else "")  # noqa: PLR2004 - few
        raise UsageError(
            f"{begun} begins the ids of {len(runs)} runs ({shown}):", hint="write more of it", ref=ref
        )
    context, run = rows[0]
    tasks = dict(index.execute(_TASKS, (context,)))
    if not slash:
        notes = () if tasks else (f"no task of run {run} has started",)
        return StartingPoint(run, executions=frozenset(tasks.values()), notes=notes)
    return _task(index, run, part, tasks)


def _service(index: sqlite3.Connection, name: str) -> StartingPoint | None:
    """The service of that name, with all of its revisions."""
    known = index.execute("select 1 from contexts where run = ?", (SERVICE + name,)).fetchone()
    return _part_of_run(index, SERVICE + name) if known else None


def _task(index: sqlite3.Connection, run: str, part: str, tasks: dict[str, int]) -> StartingPoint:
    if own := _named(tasks, part):
        return StartingPoint(f"{run}/{part}", executions=frozenset(own))
    task, _, output = part.rpartition("/")
    if own := _named(tasks, task):
        query = """select e.name, a.content from events e join artifacts a on a.id = e.artifact
            where e.output = 1 and e.execution in ({marks})"""
        outputs = list(select(index, query, own))
        found = _start(f"{run}/{part}", contents=(content for name, content in outputs if name == output))
        if found is not None:
            return found
        hint = did_you_mean(output, {name for name, _ in outputs})
        raise NotFound(f"task {task} of run {run} has no artifact {output}:", hint=hint, ref=part)
    hint = did_you_mean(part, tasks, f"the tasks are {', '.join(tasks)}" if tasks else "")
    raise NotFound(f"run {run} has no task {part}:", hint=hint, code="unknown-task", ref=part)


def _named(tasks: dict[str, int], name: str) -> list[int]:
    """The tasks with an id, or all iterations of those with a name."""
    if name in tasks:
        return [tasks[name]]
    return (
        [id for task, id in tasks.items() if task.rpartition("/")[2] in (name, kfp_name(name))]
        if name
        else []
    )


def _content(index: sqlite3.Connection, ref: str) -> StartingPoint | None:
    if found := _matching(index, ref, content_key(ref)):
        return found
    digest = _DIGEST.fullmatch(ref)
    if digest is None:
        return None
    if len(digest[1]) == _WHOLE:
        return _matching(index, ref, content_key(digest[1]))
    contents = _beginning(index, digest[1])
    if len(contents) > 1:
        raise UsageError(f"{ref} begins {len(contents)} digests:", hint="write more of it", ref=ref)
    return _start(ref, contents=contents)


def _matching(index: sqlite3.Connection, ref: str, content: bytes) -> StartingPoint | None:
    query = (
        "select content from artifacts where content = ?1 union select content from same where content = ?1"
    )
    return _start(ref, contents=(one for (one,) in index.execute(query, (content,))))


def _beginning(index: sqlite3.Connection, digits: str) -> set[bytes]:
    query = """select content from artifacts where content between ?1 and ?2
        union select content from same where content between ?1 and ?2"""
    return {content for (content,) in index.execute(query, digest_range(digits))}


def _file(index: sqlite3.Connection, ref: str) -> StartingPoint | None:
    """The content of a file, or of a folder whose path has a slash, which an artifact has."""
    if not ref or ("/" not in ref and not Path(ref).is_file()):
        return None
    try:
        digest = Digests().content(Path(ref).expanduser())
    except (OSError, ValueError, RuntimeError):  # cannot be read, or is not a path
        return None
    if not digest:
        return None
    found = _matching(index, ref, content_key(digest))
    if found is None:
        raise NotFound(
            f"the content of {ref} is not an artifact of any run or version (sha256 {digest[:12]})", ref=ref
        )
    return found


def _start(ref: str, contents: Iterable[bytes]) -> StartingPoint | None:
    found = frozenset(contents)
    return StartingPoint(ref, contents=found) if found else None


def _known(index: sqlite3.Connection) -> list[Any]:
    runs = index.execute("select run from contexts order by run desc limit ?", (_CANDIDATES,))
    return [*names(index), *(run for (run,) in runs)]
