"""The verb ``kfnb cluster``: a Kubeflow on this machine is brought up, looked at, and taken down."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from kfnb import options
from kfnb.commands.terminal import tell
from kfnb.errors import BackendError, Help, UsageError, did_you_mean
from kfnb.model.check import Outcome
from kfnb.resources.cluster import api
from kfnb.resources.localcluster import checks, lifecycle, plan, request
from kfnb.resources.localcluster.checks import Check, Verdict
from kfnb.resources.localcluster.command import Log, Runner
from kfnb.resources.localcluster.lifecycle import Standing
from kfnb.resources.localcluster.plan import Wish
from kfnb.resources.localcluster.progress_bar import Bar
from kfnb.resources.localcluster.record import Reached, Record, Records
from kfnb.resources.localcluster.request import Asked
from kfnb.resources.localcluster.tool import TOOLS, Found
from kfnb.settings import settings

INTERRUPTED = 130
_VERBS = "up, status and down"
_NAMESPACE, _USER = "kubeflow-user-example-com", "user@example.com"
"""What the manifests call their first user."""


def cluster(words: list[str]) -> int:
    """``kfnb cluster up``, ``kfnb cluster status`` and ``kfnb cluster down``."""
    verbs = {"up": up, "status": status, "down": down}
    if words and words[0] in ("--help", "-h"):
        parser = options.Parser("kfnb cluster", "")
        parser.verbs = tuple(verbs)
        text = (
            f"usage: kfnb cluster VERB ...\n\nVERB is one of {_VERBS}; kfnb cluster VERB --help tells more."
        )
        raise Help(text, parser)
    if not words or words[0] not in verbs:
        given = f"unknown verb {words[0]}{did_you_mean(words[0], verbs)}" if words else "a verb is required"
        raise UsageError(f"kfnb cluster: {given}; the verbs are {_VERBS}")
    try:
        return verbs[words[0]](words[1:])
    except KeyboardInterrupt:
        tell("\nInterrupted.")
        return INTERRUPTED


def up(words: list[str]) -> int:
    """``kfnb cluster up``."""
    found = options.cluster_up().read(words)
    records = _records()
    record = records.read(found.profile)
    only = tuple(word.strip() for word in found.only.split(",") if word.strip())
    asked = Asked(
        found.profile,
        found.tool,
        found.release,
        found.manifests,
        only,
        options.count(found.cores, "--cores"),
        options.count(found.memory, "--memory"),
        found.kubernetes,
        found.driver,
        options.count(found.timeout, "--timeout"),
    )
    if record is not None:
        asked = request.going_on(asked, record)
    wish = request.wish(asked)
    there, looked = _look(wish, record)
    tell(_table(looked))
    if _missing(looked) and not (found.force or found.dry_run):
        tell("\nMend what is missing and try again; --force goes on all the same.")
        return 1
    broken = record is not None and record.reached is Reached.BEGUN
    steps = plan.plan(wish, there, broken=broken)
    if found.dry_run:
        print("\n".join(map(str, steps)))
        return 0
    new = there is Found.ABSENT or broken
    reached = Reached.BEGUN if new else Reached.STARTED
    return _rise(wish, steps, request.record_of(asked, wish, reached), records)


def _look(wish: Wish, record: Record | None) -> tuple[Found, Sequence[Check]]:
    """What there is of the cluster, and what is checked: a machine is big enough for what runs on it already."""
    quiet = Runner()
    wanted = request.wanted(wish)
    tools = checks.of_tools(wanted, quiet)
    if _missing([check for check in tools if check.name not in ("Kubernetes", "kustomize")]):
        there = Found.ABSENT
    else:
        there = lifecycle.find(wish.tool, wish.profile, record, quiet)
    machine = (
        ()
        if there is not Found.ABSENT
        else checks.of_machine(wanted.size, request.least(wish), api.machine())
    )
    return there, (*machine, *tools)


def _rise(wish: Wish, steps: Sequence[plan.Step], record: Record, records: Records) -> int:
    bar, runner = Bar(sys.stderr), Runner(Log(records.log(wish.profile)))
    try:
        lifecycle.up(wish, steps, record, records, runner, bar)
    except KeyboardInterrupt:
        bar.clear()
        again = _named("kfnb cluster up", wish.profile)
        tell(
            f"\nInterrupted: {again} goes on from here, {_named('kfnb cluster down', wish.profile)} deletes it."
        )
        return INTERRUPTED
    except BackendError as error:
        bar.clear()
        raise BackendError(f"{error}\n{_named('kfnb cluster up', wish.profile)} goes on from here") from None
    bar.clear()
    print(_reached_by(wish))
    return 0


def status(words: list[str]) -> int:
    """``kfnb cluster status``: exit code 0 where all is ready."""
    found = options.cluster_status().read(words)
    record = _ours(found.profile)
    how = lifecycle.standing(record, Runner())
    if found.json:
        print(json.dumps({**asdict(how), "ready": how.ready}, indent=2, default=str))
    else:
        print(_standing(how))
    return 0 if how.ready else 1


def down(words: list[str]) -> int:
    """``kfnb cluster down``."""
    found = options.cluster_down().read(words)
    record, records = _ours(found.profile), _records()
    if found.dry_run:
        print(TOOLS[record.tool].delete(record.profile))
        return 0
    if not found.yes and not _agreed(record):
        tell("nothing was deleted")
        return 1
    try:
        lifecycle.down(record, records, Runner(Log(records.log(record.profile))), tell)
    except KeyboardInterrupt:
        tell(f"\nInterrupted: {_named('kfnb cluster down', record.profile)} goes on.")
        return INTERRUPTED
    tell(f"nothing is left of {record.profile}")
    return 0


def _records() -> Records:
    return Records(Path(settings().home) / "clusters")


def _ours(profile: str) -> Record:
    records = _records()
    record = records.read(profile)
    if record is None:
        others = ", ".join(one.profile for one in records.all())
        hint = f"there is {others}: name it with --profile" if others else "kfnb cluster up starts one"
        raise BackendError(f"kfnb has started no cluster {profile}; {hint}")
    return record


def _agreed(record: Record) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("kfnb cluster down deletes the cluster and all that is in it: say --yes")
    asked = f"Delete the {record.tool} cluster {record.profile}, with all that is in it? [y/N] "
    return input(asked).strip().lower() in ("y", "yes")


def _missing(looked: Sequence[Check]) -> bool:
    return any(check.verdict is Verdict.MISSING for check in looked)


def _table(looked: Sequence[Check]) -> str:
    """A line for each check, and below what is not fine the command that mends it."""
    wide = max(len(check.name) for check in looked)
    lines = []
    for check in looked:
        lines.append(f"{check.verdict!s:<8} {check.name:<{wide}}  {check.told}")
        if check.mend:
            lines.append(f"{'':<9}{check.mend}")
    return "\n".join(lines)


def _standing(how: Standing) -> str:
    record = how.record
    there = {Found.ABSENT: "is not there", Found.STOPPED: "is stopped", Found.RUNNING: "runs"}[how.found]
    told = f"{record.profile} ({record.tool}, Kubernetes {record.kubernetes}) {there}"
    lines = [told, f"Kubeflow {how.release or record.release}: {'ready' if how.ready else _why(how)}"]
    for part in how.parts:
        count = f"{part.ready} of {part.wanted} ready" if part.wanted else ""
        failing = f": {', '.join(part.failing)}" if part.failing else ""
        lines.append(f"  {part.name:<15} {part.version:<10} {count}{failing}".rstrip())
    cut = how.hairpin
    if cut is not None and cut.outcome is Outcome.BAD:
        lines += [f"  {cut.told}", f"    {cut.mend}"]
    return "\n".join(lines)


def _why(how: Standing) -> str:
    if how.trouble:
        return how.trouble
    again = _named("kfnb cluster up", how.record.profile)
    if how.found is not Found.RUNNING:
        return f"{again} starts it"
    if how.record.reached is not Reached.READY:
        return f"not all of it was applied; {again} goes on"
    return "not ready"


def _reached_by(wish: Wish) -> str:
    """How the cluster is reached, and as whom."""
    kubectl = f"kubectl --context {wish.context}"
    lines = [
        f"Kubeflow {wish.release} is ready on {wish.tool.name}, for {_USER} in the namespace {_NAMESPACE}."
    ]
    setting = f"%kf_config context={wish.context} namespace={_NAMESPACE}"
    if any(part.name == "pipelines" for part in wish.parts):
        # Pipelines serve several users here, and ask who comes
        token = f"{kubectl} -n {_NAMESPACE} create token default-editor --audience=pipelines.kubeflow.org"
        lines.append(f"  once a day:    (umask 077; {token} --duration=24h > token.txt)")
        setting += " token_file=token.txt"
    return "\n".join(
        [
            *lines,
            f"  in a notebook: {setting}",
            f"  in a browser:  {kubectl} -n istio-system port-forward svc/istio-ingressgateway 8080:80",
            f"                 http://localhost:8080 as {_USER}; the manifests' README tells the password",
            f"  to end it:     {_named('kfnb cluster down', wish.profile)}",
        ]
    )


def _named(command: str, profile: str) -> str:
    return command if profile == "kubeflow" else f"{command} --profile {profile}"
