"""The JUnit XML report, which CI systems read, with one suite per notebook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from kfnb.errors import NotebookError
from kfnb.execute.result import NotebookResult

_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow."""


def write_report(results: Sequence[NotebookResult], path: Path) -> None:
    """Write the report on ``results`` to ``path``. Raises ``NotebookError`` if it cannot be written."""
    root = ET.Element("testsuites", _count(results))
    for result in results:
        suite = ET.SubElement(root, "testsuite", {"name": _clean(result.path.name), **_count([result])})
        _add_case(suite, result)
    ET.indent(root)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise NotebookError(f"{path}: cannot write the report ({error.strerror})") from None


def _add_case(suite: ET.Element, result: NotebookResult) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": _clean(str(result.path.parent)),
            "name": _clean(result.path.name),
            "time": f"{result.seconds:.3f}",
        },
    )
    if result.failure is not None:
        failure = ET.SubElement(case, "failure", {"message": _clean(result.message)})
        failure.text = _clean(result.failure.traceback or result.message)


def _count(results: Sequence[NotebookResult]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(not result.succeeded for result in results)),
        "errors": "0",
        "skipped": "0",
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)
