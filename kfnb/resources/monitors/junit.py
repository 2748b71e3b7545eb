"""What the rules of a monitor say as a JUnit file, which CI shows: a test case a rule, an alarm is a failure.

Of a check that failed, one test case is the error.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

from kfnb.errors import UsageError
from kfnb.resources.monitors.model import MonitorState, RuleState
from kfnb.resources.monitors.snapshot import MonitorSnapshot


def write_junit(content: bytes, file: str) -> None:
    """Write the file. Raises ``UsageError`` if it cannot be written."""
    try:
        Path(file).expanduser().write_bytes(content)
    except OSError as error:
        raise UsageError(f"--junit {file}: {error.strerror or error}") from None


def junit_of_failure(name: str, error: str) -> bytes:
    """The content of the file where a monitor could not be checked."""
    suite = Element("testsuite", name=f"monitor {name}", tests="1", failures="0", skipped="0", errors="1")
    case = SubElement(suite, "testcase", classname=f"monitor.{name}", name="check", time="0")
    SubElement(case, "error", message=_plain(error), type="error")
    content: bytes = tostring(suite, encoding="utf-8", xml_declaration=True)
    return content


def junit(now: MonitorSnapshot) -> bytes:
    """The content of the file after a check."""
    failed = [one for one in now.rules if one.state is MonitorState.ALARM]
    skipped = [one for one in now.rules if one.state is MonitorState.NO_DATA]
    suite = Element(
        "testsuite",
        name=f"monitor {now.name}",
        tests=str(len(now.rules)),
        failures=str(len(failed)),
        skipped=str(len(skipped)),
        errors="0",
    )
    for one in now.rules:
        case = SubElement(suite, "testcase", classname=f"monitor.{now.name}", name=one.rule, time="0")
        _verdict(case, one)
    content: bytes = tostring(suite, encoding="utf-8", xml_declaration=True)
    return content


def _verdict(case: Element, one: RuleState) -> None:
    evidence = _plain(one.finding.evidence if one.finding else "")
    if one.state is MonitorState.ALARM:
        SubElement(case, "failure", message=evidence, type="alarm")
    elif one.state is MonitorState.NO_DATA:
        SubElement(case, "skipped", message=evidence)
    elif one.state is MonitorState.WARNING:
        SubElement(case, "system-out").text = f"warning: {evidence}"


def _plain(text: str) -> str:
    """Without characters that XML cannot have."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
