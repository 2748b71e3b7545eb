"""The row of each noun of what notebooks make and run: components, pipelines, runs, studies, trainings, schedules."""

from __future__ import annotations

from kfnb.registry.noun import Noun

PIPELINE_NOUNS: list[Noun] = [
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
            ("PrintLogs", "%kf_logs", "logs", "print the logs of a run's tasks, or of a service"),
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
        section=("Runs", "runs", "run"),
        values=("logged", "run", "task"),
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
        section=("Studies", "studies", "study"),
    ),
    Noun(
        "training",
        (("TrainCell", "%%kf_train", "", "run the cell as a training of several processes"),),
        exports={"train": "api"},
        page="training.md",
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
            ("SchedulePipeline", "%kf_schedule", "schedule", "run a pipeline on a schedule"),
            ("ListSchedules", "%kf_schedules", "schedules", "list the schedules"),
            ("ShowSchedule", "%kf_schedules show", "schedules show", "show a schedule and its last runs"),
            ("PauseSchedule", "%kf_schedules pause", "schedules pause", "start no more runs of a schedule"),
            ("ResumeSchedule", "%kf_schedules resume", "schedules resume", "continue a paused schedule"),
            ("RunSchedule", "%kf_schedules run", "schedules run", "start a run of a schedule now"),
            ("DeleteSchedule", "%kf_schedules delete", "schedules delete", "delete a schedule"),
        ),
        exports={"Schedule": "handle", "schedule": "api", "schedules": "api"},
        displays=("kfnb.resources.schedules.handle.Schedule", "kfnb.resources.schedules.handle.ScheduleList"),
        values=("schedule",),
        page="schedules.md",
        section=("Schedules", "schedules"),
    ),
]
