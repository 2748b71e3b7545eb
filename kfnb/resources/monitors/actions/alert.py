"""``alert``: report an alarm once, on the desktop, by a webhook or by a command."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from typing import Any
from urllib.parse import urlsplit

from kfnb.errors import KfnbError, UsageError
from kfnb.resources.monitors.actions.occasion import AlarmStep, Occasion, StepOutcome
from kfnb.resources.monitors.model import MonitorSpec

_WITHIN = 30.0
_WEB = ("http://", "https://")
_OF_A_SHELL = ("|", "||", "&&", "&", ";", "<", ">", ">>", "2>", "2>&1")


def shown(text: str) -> str:
    """An alert as it may be shown: of a webhook's address, the host alone, since the rest may be a password."""
    target = text.partition(":")[2]
    if not target.startswith(_WEB):
        return text
    parts = urlsplit(target)
    return f"alert:{parts.scheme}://{parts.hostname}/***"


def address_of(text: str) -> str:
    """The address of a webhook that an alert has; empty if it has none."""
    target = text.partition(":")[2]
    return target if target.startswith(_WEB) else ""


def notify(spec: MonitorSpec, message: dict[str, Any], target: str, address: str = "") -> str:
    """Report something; how that was done. Raises ``KfnbError`` if it could not be."""
    text = f"{message['monitor']}: {message['event']}: {message['evidence']}"
    if address:
        _post(address, message)
        return f"sent to {urlsplit(address).hostname}"
    if target:
        _run(target, message)
        return f"{shlex.split(target)[0]} was run"
    return _on_desktop(f"kfnb monitor {spec.name}", text)


def _post(address: str, message: dict[str, Any]) -> None:
    from kfnb.remote.http import Http, Request
    from kfnb.remote.retry import RetryPolicy

    client = Http(retry=RetryPolicy(deadline=_WITHIN))
    try:
        body = json.dumps({"text": f"{message['monitor']}: {message['evidence']}", **message}).encode()
        headers = {"content-type": "application/json"}
        answer = client.send(Request("POST", address, body, headers))
    finally:
        client.close()
    if not answer.fine:
        raise UsageError(f"the webhook at {urlsplit(address).hostname} answered with status {answer.status}")


def _run(command: str, message: dict[str, Any]) -> None:
    """Run a command, which gets the message as JSON on its input."""
    try:
        done = subprocess.run(
            shlex.split(command),
            input=json.dumps(message),
            capture_output=True,
            text=True,
            timeout=_WITHIN,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{shlex.split(command)[0]} cannot be run: {error}") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        raise UsageError(f"{shlex.split(command)[0]} ended with {done.returncode}: {last}")


def _on_desktop(title: str, text: str) -> str:
    program = shutil.which("notify-send")
    if program is None:
        return "shown in the monitor: no desktop was found"
    done = subprocess.run([program, title, text], capture_output=True, timeout=_WITHIN, check=False)
    return (
        "shown on the desktop" if not done.returncode else "shown in the monitor: the desktop did not answer"
    )


def message_of(occasion: Occasion, event: str = "ALARM") -> dict[str, Any]:
    """The message of an alert, as data."""
    return {
        "monitor": occasion.spec.name,
        "service": occasion.spec.service,
        "event": event,
        "alarm": occasion.alarm.number,
        "rule": occasion.alarm.rule,
        "evidence": occasion.alarm.evidence,
        "version": occasion.report.version,
        "since": occasion.alarm.since,
    }


def _take(occasion: Occasion) -> StepOutcome:
    target = "" if occasion.text in occasion.addresses else occasion.argument
    try:
        address = occasion.addresses.get(occasion.text, "")
        return StepOutcome("done", notify(occasion.spec, message_of(occasion), target, address))
    except KfnbError as error:
        return StepOutcome("failed", str(error))


def _check(argument: str) -> None:
    if not argument or argument.startswith(_WEB):
        return
    program, *words = _words(argument)
    if shutil.which(program) is None:
        hint = "give the address of a webhook, or a command"
        raise UsageError(f"--then alert:{argument}: unknown program {program}:", hint=hint)
    of_shell = next((one for one in words if one in _OF_A_SHELL), None)
    if of_shell is not None:
        hint = f"alert:sh -c {shlex.quote(argument)}"
        raise UsageError(
            f"--then alert:{argument}: a command is run without a shell, which {of_shell} needs:", hint=hint
        )


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--then alert:{command}: {str(error).lower()}") from None


def _plan(occasion: Occasion) -> str:
    return f"report it{f' by {occasion.argument}' if occasion.argument else ' on the desktop'}"


ALERT_STEP = AlarmStep(
    "alert",
    "report it: on the desktop, alert:URL by a webhook, alert:COMMAND by a command",
    _check,
    _plan,
    _take,
)
