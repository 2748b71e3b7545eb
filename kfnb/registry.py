"""The nouns of kfnb: a row of plain strings for each, from which all else is found. A row imports nothing.

From the rows come magics, verbs of the command ``kfnb``, their help and completion, displays, and the public names.
A new noun is a folder ``kfnb/resources/<noun>/`` and a row here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import NamedTuple


class CommandRow(NamedTuple):
    """A command: the class ``name`` in the noun's ``commands``, and how it is called.

    ``magic`` begins with ``%``, or with ``%%`` for the form that takes a cell; a line magic may have a verb
    after it (``%kf_data add``). ``verb`` is one word, or two (``data add``). Either may be empty; where both have two
    words, their last ones are alike. ``summary`` is the line of ``kfnb --help``.
    """

    name: str
    magic: str
    verb: str = ""
    summary: str = ""


@dataclass(frozen=True)
class Noun:
    """What users see of a noun.

    ``exports`` are public names of ``kfnb``, each with the module that has it: one of the noun's own folder, or a
    whole name that begins with ``kfnb.``. ``modules`` are public modules of ``kfnb``. ``displays`` are the classes,
    ``module.Class``, that the noun's ``display`` draws; ``live`` those of them that are followed in the page,
    ``tables`` those that the page can sort and refresh. ``values`` are the kinds of words that its ``completion``
    completes. ``page`` is its page of ``docs/``.
    """

    name: str
    commands: tuple[tuple[str, ...], ...] = ()
    exports: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    displays: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    page: str = ""
    package: str = ""

    def module(self, role: str) -> ModuleType:
        """The noun's file of that role: ``commands``, ``display``, ``completion``, ... It is imported now."""
        return import_module(self.place(role))

    def place(self, module: str) -> str:
        """The whole name of a module of the noun's folder; a name that begins with ``kfnb.`` is whole."""
        return (
            module
            if module.startswith("kfnb.")
            else f"{self.package or f'kfnb.resources.{self.name}'}.{module}"
        )

    @property
    def rows(self) -> Iterator[CommandRow]:
        """Its commands."""
        return (CommandRow(*row) for row in self.commands)


NOUNS: list[Noun] = [
    Noun(
        "execution",
        (("RunNotebooks", "", "run", "execute notebooks from top to bottom"),),
        package="kfnb.execute",
    ),
    Noun(
        "components",
        (
            ("DefineComponent", "%%kf_component", "", "run the cell, and make it a component of pipelines"),
            (
                "DefineParameters",
                "%%kf_parameters",
                "",
                "run the cell; the names it assigns are parameters of pipelines",
            ),
            (
                "DefineSetup",
                "%%kf_setup",
                "",
                "run the cell, and put its code at the top of every later step",
            ),
            (
                "DefineTransform",
                "%%kf_transform",
                "",
                "make a transform of the cell's functions: the same code in training and serving",
            ),
            ("DefinePipeline", "%kf_pipeline", "", "define a pipeline that runs components in order"),
            (
                "DefinePipelineByDsl",
                "%%kf_pipeline",
                "",
                "define a pipeline with KFP's DSL: loops, conditions, exit handlers",
            ),
            (
                "ShowDefinition",
                "%kf_show",
                "",
                "show what travels with a component or a transform and why, or a pipeline's graph",
            ),
            (
                "CompilePipeline",
                "%kf_compile",
                "compile",
                "write a pipeline as KFP's YAML, or as a program of its SDK",
            ),
        ),
        exports={"compile": "api"},
        displays=("kfnb.entities.component.ComponentView", "kfnb.entities.component.Graph"),
        values=("component", "pipeline", "subject", "argument"),
        page="components.md",
    ),
    Noun(
        "runs",
        (
            (
                "SubmitPipeline",
                "%kf_submit",
                "submit",
                "run a pipeline: a compiled file, or a program of KFP's SDK",
            ),
            ("ShowRun", "%kf_run", "runs show", "show a run"),
            ("ListRuns", "%kf_runs", "runs", "list the newest runs; show a run, or remove the oldest"),
            ("PruneRuns", "", "runs prune", "remove all runs but the newest"),
            ("CompareRuns", "%kf_compare", "compare", "show what differs between runs"),
            ("PrintLogs", "%kf_logs", "logs", "print the logs of a run's tasks"),
            ("StopRun", "%kf_stop", "stop", "stop a run and all of its processes"),
            ("RetryRun", "%kf_retry", "retry", "run the tasks of a run again that did not succeed"),
            ("ArchiveRuns", "%kf_archive", "archive", "archive runs; --undo restores them"),
            ("DeleteRuns", "%kf_delete", "delete", "delete finished runs for good"),
        ),
        exports={
            "Artifact": "kfnb.entities",
            "Run": "handle",
            "RunFailed": "kfnb.errors",
            "RunList": "handle",
            "RunState": "kfnb.entities",
            "Task": "kfnb.entities",
            "compare": "api",
            "run": "api",
            "runs": "api",
            "submit": "api",
        },
        displays=(
            "kfnb.resources.runs.handle.Run",
            "kfnb.resources.runs.handle.RunList",
            "kfnb.entities.run.Comparison",
        ),
        live=("kfnb.resources.runs.handle.Run",),
        tables=("kfnb.resources.runs.handle.RunList",),
        values=("run", "task"),
    ),
    Noun(
        "studies",
        (
            (
                "TunePipeline",
                "%kf_tune",
                "tune",
                "search for the parameters of a pipeline that optimize an objective",
            ),
            ("TuneCell", "%%kf_tune", "", "search with the cell as the trial"),
            ("ShowStudy", "%kf_study", "studies show", "show, stop, resume or delete a study"),
            (
                "ListStudies",
                "%kf_studies",
                "studies",
                "list the studies; show, stop, resume or delete a study",
            ),
        ),
        exports={
            "Study": "handle",
            "StudyFailed": "kfnb.errors",
            "studies": "api",
            "study": "api",
            "tune": "api",
        },
        displays=(
            "kfnb.resources.studies.handle.Study",
            "kfnb.resources.studies.model.StudyList",
            "kfnb.resources.studies.model.StudyPlot",
        ),
        live=("kfnb.resources.studies.handle.Study",),
        values=("study", "algorithm setting"),
        page="tuning.md",
    ),
    Noun(
        "datasets",
        (
            ("ListData", "%kf_data", "data", "list the data sets"),
            ("AddData", "%kf_data add", "data add", "add a value, a file or a folder as a version"),
            ("ShowData", "%kf_data show", "data show", "show a version's columns, files and origin"),
            ("DiffData", "%kf_data diff", "data diff", "show what differs between two versions"),
            ("GetData", "%kf_data get", "data get", "write a version's files to a path"),
            ("CheckData", "%kf_data check", "data check", "verify every byte of versions"),
            ("PruneData", "%kf_data prune", "data prune", "remove content that no version refers to"),
        ),
        exports={"DatasetVersion": "handle", "add_data": "api", "dataset": "api", "datasets": "api"},
        displays=(
            "kfnb.resources.datasets.handle.DatasetVersion",
            "kfnb.resources.datasets.handle.DatasetList",
            "kfnb.resources.datasets.model.DatasetDiff",
            "kfnb.resources.datasets.model.Verification",
        ),
        values=("data set", "data version", "data input", "data"),
        page="data.md",
    ),
    Noun(
        "models",
        (
            ("RegisterModel", "%kf_register", "register", "register a model as a version"),
            ("ShowLeaderboard", "%kf_models", "models", "rank the versions of all models"),
            ("ShowModel", "%kf_models show", "models show", "show a version and its model"),
            ("CompareModels", "%kf_models compare", "models compare", "show what differs between versions"),
            ("PromoteModel", "%kf_models promote", "models promote", "let an alias name a version"),
            ("RollbackModel", "%kf_models rollback", "models rollback", "undo a promotion"),
            ("ShowAliasHistory", "%kf_models history", "models history", "show who moved which alias"),
            (
                "ArchiveModel",
                "%kf_models archive",
                "models archive",
                "archive versions; --undo restores them",
            ),
            ("PushModel", "%kf_models push", "models push", "copy a model to the cluster's registry"),
            ("PullModel", "%kf_models pull", "models pull", "copy a model from the cluster's registry"),
        ),
        exports={
            "Leaderboard": "leaderboard",
            "ModelVersion": "handle",
            "model": "api",
            "models": "api",
            "register": "api",
        },
        displays=(
            "kfnb.resources.models.handle.ModelVersion",
            "kfnb.resources.models.leaderboard.Leaderboard",
            "kfnb.resources.models.model.AliasHistory",
            "kfnb.resources.models.model.ModelComparison",
            "kfnb.resources.models.transfer.Transfer",
        ),
        values=("model", "model version", "alias", "metric"),
        page="models.md",
    ),
    Noun(
        "experiments",
        (("ListExperiments", "%kf_experiments", "experiments", "list the experiments"),),
        exports={"Experiment": "model", "experiments": "api"},
        displays=("kfnb.resources.experiments.model.ExperimentList",),
        values=("experiment",),
    ),
    Noun(
        "uploads",
        (
            (
                "UploadPipeline",
                "%kf_upload",
                "upload",
                "upload a pipeline, or a new version of a pipeline, to the cluster",
            ),
        ),
        exports={"UploadedPipeline": "model", "upload": "api", "uploads": "api"},
        displays=("kfnb.resources.uploads.model.UploadList", "kfnb.resources.uploads.model.UploadedPipeline"),
    ),
    Noun(
        "schedules",
        (
            (
                "SchedulePipeline",
                "%kf_schedule",
                "schedule",
                "run a pipeline on the cluster on a schedule; list, pause, resume or delete schedules",
            ),
        ),
        exports={"Schedule": "handle", "schedule": "api", "schedules": "api"},
        displays=(
            "kfnb.resources.schedules.handle.Schedule",
            "kfnb.resources.schedules.handle.ScheduleList",
        ),
        values=("schedule",),
    ),
    Noun(
        "lineage",
        (
            (
                "ShowLineage",
                "%kf_lineage",
                "lineage",
                "show what a thing was made of, and what it was used for",
            ),
            ("CatalogVerbs", "", "catalog", "manage the index of lineage: export, rebuild"),
            ("ExportCatalog", "", "catalog export", "write the lineage of all runs as OpenLineage's events"),
            ("RebuildCatalog", "", "catalog rebuild", "build the index of lineage again"),
        ),
        exports={"Lineage": "model", "lineage": "api"},
        displays=("kfnb.resources.lineage.model.Lineage",),
        values=("reference",),
        page="lineage.md",
    ),
    Noun(
        "cluster",
        (
            ("ShowStatus", "%kf_status", "status", "show the environment's status, and what is broken"),
            (
                "RunDoctor",
                "",
                "doctor",
                "check this machine, the clients and the connection to the cluster; exit code 1 on errors",
            ),
        ),
        exports={"Status": "model", "status": "api"},
        displays=(
            "kfnb.resources.cluster.model.Status",
            "kfnb.resources.cluster.model.CheckList",
            "kfnb.diagnostics.LogList",
        ),
        page="status.md",
    ),
    Noun(
        "notebooks",
        (
            (
                "ManageNotebooks",
                "%kf_notebook",
                "notebook",
                "list, start, stop, create or delete notebooks on the cluster",
            ),
        ),
        modules=("spawning",),
        displays=(
            "kfnb.resources.notebooks.model.Notebook",
            "kfnb.resources.notebooks.model.NotebookList",
            "kfnb.resources.notebooks.model.DryRun",
        ),
        values=("notebook",),
        page="notebooks.md",
    ),
    Noun(
        "localcluster",
        (
            (
                "ManageLocalCluster",
                "",
                "cluster",
                "manage a Kubeflow on this machine, with minikube or kind: up, status, down",
            ),
            ("StartLocalCluster", "", "cluster up", "start the cluster"),
            ("ShowLocalCluster", "", "cluster status", "show which parts of the cluster are ready"),
            ("DeleteLocalCluster", "", "cluster down", "delete the cluster"),
        ),
        displays=("kfnb.resources.localcluster.model.LocalClusterStatus",),
        page="cluster.md",
    ),
    Noun(
        "images",
        (("WriteImage", "", "image", "write a build folder for a notebook image"),),
        page="image.md",
    ),
    Noun(
        "settings",
        (("ShowSettings", "%kf_config", "", "show the settings, or set them"),),
        exports={"KfnbError": "kfnb.errors"},
        displays=("kfnb.settings.Kfnb",),
        values=("setting", "file", "variable"),
    ),
    Noun(
        "completion",
        (("PrintCompletion", "", "completion", "print the completion script for bash, zsh or fish"),),
        package="kfnb.commands.shell",
    ),
]
"""Every noun. A test may add one."""


def commands() -> Iterator[tuple[Noun, CommandRow]]:
    """Every command, with its noun."""
    return ((noun, row) for noun in NOUNS for row in noun.rows)


def magics() -> dict[str, dict[str, tuple[Noun, CommandRow]]]:
    """By the name of each magic, its command for each form: ``line`` and ``cell``; without those of its verbs."""
    found: dict[str, dict[str, tuple[Noun, CommandRow]]] = {}
    for noun, row in commands():
        if row.magic and " " not in row.magic:
            form = "cell" if row.magic.startswith("%%") else "line"
            found.setdefault(row.magic.lstrip("%"), {})[form] = noun, row
    return found


def magic_verbs(name: str) -> dict[str, tuple[Noun, CommandRow]]:
    """The verbs of a line magic (``add`` of ``%kf_data add``), each with its command."""
    return {
        row.magic.partition(" ")[2]: (noun, row)
        for noun, row in commands()
        if row.magic.startswith(f"%{name} ")
    }


def verbs() -> dict[str, tuple[Noun, CommandRow]]:
    """By its words (``runs``, ``runs show``), the command of each verb."""
    return {row.verb: (noun, row) for noun, row in commands() if row.verb}


def exports() -> dict[str, str]:
    """By each public name, the module that has it."""
    return {name: noun.place(module) for noun in NOUNS for name, module in noun.exports.items()}


def public_modules() -> dict[str, str]:
    """By the name of each public module, its whole name."""
    return {name: f"kfnb.{name}" for noun in NOUNS for name in noun.modules}


def noun_of_value(kind: str) -> Noun:
    """The noun that completes words of a kind."""
    return next(noun for noun in NOUNS if kind in noun.values)


def noun_of_display(name: str) -> Noun | None:
    """The noun that draws objects of the class of that whole name; None where none does."""
    return next((noun for noun in NOUNS if name in noun.displays), None)
