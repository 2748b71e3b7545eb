"""Cells as trials of local studies, for tests: where a study is, and its processes."""

from collections.abc import Callable
from pathlib import Path

from kfnb.jobs import system
from kfnb.resources.studies.handle import Study
from kfnb.resources.studies.local.folder import StudyFolder
from kfnb.settings import settings

Start = Callable[..., Study]


def folder_of(study: Study) -> StudyFolder:
    """The folder of a study here."""
    return StudyFolder(Path(settings().home) / "studies" / study.name)


def processes_of(study: Study) -> list[int]:
    """All processes of a study that are alive."""
    return system.here().tagged(folder_of(study).tag)
