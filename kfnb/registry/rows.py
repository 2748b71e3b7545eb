"""The row of each noun: plain strings alone, so that no noun is imported before it is used."""

from __future__ import annotations

from kfnb.registry.noun import Noun

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
            "kfnb.resources.models.model.AliasChange",
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
        displays=("kfnb.resources.schedules.handle.Schedule", "kfnb.resources.schedules.handle.ScheduleList"),
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
        "images", (("WriteImage", "", "image", "write a build folder for a notebook image"),), page="image.md"
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
