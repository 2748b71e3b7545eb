"""The row of each noun of where notebooks run: clusters, notebook servers, images, settings."""

from __future__ import annotations

from kfnb.registry.noun import Noun

PLATFORM_NOUNS: list[Noun] = [
    Noun(
        "pages",
        (("ServePages", "", "ui", "show runs, models, services and more in a browser, without a notebook"),),
        package="kfnb.web",
        page="ui.md",
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
        section=("Cluster", "status"),
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
        "convert",
        (
            ("ConvertFile", "", "convert", "convert a notebook of Kale's or a pipeline of Elyra's"),
            ("ConvertKale", "", "convert kale", "convert a notebook that is annotated for Kale"),
            ("ConvertElyra", "", "convert elyra", "convert a pipeline of Elyra's"),
            ("DecompilePipeline", "", "decompile", "write a notebook from the source in a compiled pipeline"),
        ),
        package="kfnb.convert",
        page="migrating.md",
    ),
    Noun(
        "completion",
        (("PrintCompletion", "", "completion", "print the completion script for bash, zsh or fish"),),
        package="kfnb.commands.shell",
    ),
]
