"""Images for notebooks on Kubeflow with kfnb in them: a folder that docker, podman or a CI builds."""
