"""The facts of each layer of a manifest: their names in its JSON, which stay as they are, and what people call them.

What matters first for a result is first in its layer.
"""

from __future__ import annotations

from collections.abc import Mapping

from kfnb.entities.manifest import LayerName

FACTS: Mapping[LayerName, Mapping[str, str]] = {
    LayerName.MODEL: {
        "digest": "digest of the model",
        "format": "format",
        "served": "versions that are served",  # churn@3: digest
        "pipeline": "pipeline",
        "code": "code of the steps",  # task: sha256 of its source
        "spec": "digest of the pipeline",
        "arguments": "arguments",
        "parameters": "parameters",  # of a model or a trial
        "algorithm": "algorithm of the search",
        "space": "search space",
        "seed": "seed",
        "unseeded": "randomness without a seed",
        "data": "data versions",  # name@version: digest
        "outputs": "outputs",  # task.name: digest or value
        "metrics": "metrics",  # task.name: value
    },
    LayerName.UX: {
        "notebook": "notebook",
        "notebook_digest": "digest of the notebook",
        "cells": "order of the cells",  # [name, execution count]
        "client": "client",
        "jupyterlab": "JupyterLab",
        "ipykernel": "ipykernel",
        "ipython": "IPython",
        "user": "user",
    },
    LayerName.TOOLING: {
        "python": "Python",
        "implementation": "implementation",
        "build": "build",
        "compiler": "compiler",
        "kfnb": "kfnb",
        "kfp": "kfp",
        "pip": "pip",
        "uv": "uv",
        "commit": "git commit",
        "changed": "files that are not committed",
        "repository": "git repository",
    },
    LayerName.FRAMEWORK: {
        "packages": "packages",  # name: {version, digest, installer, url, editable}
        "packages_digest": "digest of the packages",
        "blas_build": "BLAS",
        "threads": "threads of BLAS and OpenMP",  # library: number
    },
    LayerName.STORAGE: {
        "inputs": "inputs",  # task.name: {uri, digest}
        "store": "store",
        "versioning": "versioning of the bucket",
        "volumes": "volumes",  # name: {class, size}
        "filesystem": "file system",
    },
    LayerName.RUNTIME: {
        "container": "container",
        "image": "image",
        "image_digest": "digest of the image",
        "cpus": "CPUs that it may use",
        "cpu_limit": "CPU limit",
        "memory_limit": "memory limit",
        "virtualization": "virtualization",
        "namespace": "namespace",
        "pod": "pod",
        "node": "node",
        "kubelet": "kubelet",
        "container_runtime": "container runtime",
        "requests": "requested resources",
    },
    LayerName.DRIVERS: {
        "nvidia": "NVIDIA driver",
        "cuda": "CUDA of the driver",
        "cuda_runtime": "CUDA runtime",
        "cudnn": "cuDNN",
        "nccl": "NCCL",
        "amdgpu": "AMD driver",
    },
    LayerName.OS: {
        "distribution": "distribution",
        "kernel": "kernel",
        "libc": "C library",
        "locale": "locale",
        "encoding": "encoding",
        "timezone": "time zone",
        "environment": "environment variables",  # name: value, of those that change results
        "variables": "other environment variables",  # names alone
        "limits": "limits of the process",
        "hash_seed": "hash seed",
    },
    LayerName.ACCELERATOR: {
        "devices": "devices",  # [{model, memory, mig, ecc}]
        "count": "number of devices",
        "product": "product",
    },
    LayerName.HARDWARE: {
        "cpu": "CPU",
        "blas_kernel": "BLAS kernel",
        "flags": "CPU features",
        "architecture": "architecture",
        "cores": "cores",
        "memory": "memory",
        "microcode": "microcode",
        "vendor": "vendor",
        "machine": "machine",
        "instance_type": "instance type",
        "region": "region",
        "zone": "zone",
    },
}
"""The names of the facts of each layer, with the words for each."""
