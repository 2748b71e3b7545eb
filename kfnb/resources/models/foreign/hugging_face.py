"""A repository of the Hugging Face Hub: the files of its model, and nothing that executes code unless it is allowed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kfnb.diagnostics import logger
from kfnb.errors import BackendError, UsageError
from kfnb.extras import require
from kfnb.resources.models.foreign.mlmodel import MLMODEL
from kfnb.resources.models.packer import FACTS, PICKLES

_logger = logger(__package__)
_ADDRESS = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([\w.-]+))?(?:/(.+))?", re.ASCII)
_MODELS = (".safetensors", ".onnx", ".skops", ".ubj")
_SAFE = (*_MODELS, ".txt", ".json")
"""What is downloaded: files that hold data alone."""


@dataclass(frozen=True)
class HubDownload:
    """What was downloaded: the path here, and the address with the commit, under which it never changes."""

    path: Path
    address: str


def from_hub(address: str, folder: Path, *, pickle: bool) -> HubDownload:
    """Download ``hf://ORG/NAME[@REVISION][/FILE]`` into a folder. Raises ``UsageError``, ``BackendError``."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise UsageError(f"{address}: write hf://ORG/NAME, or hf://ORG/NAME@REVISION/FILE", ref=address)
    repository, revision, file = match.groups()
    require("huggingface_hub", f"import of {address}")
    import huggingface_hub

    try:
        found = huggingface_hub.HfApi().model_info(repository, revision=revision)
        files = [one.rfilename for one in found.siblings or ()]
        chosen = _chosen(address, files, file, pickle=pickle)
        for one in chosen:
            huggingface_hub.hf_hub_download(repository, one, revision=found.sha, local_dir=folder)
        shutil.rmtree(folder / ".cache", ignore_errors=True)  # its notes on the download
    except UsageError:
        raise
    except Exception as error:  # the client's errors, its HTTP library's, the disk's
        _logger.debug("The download of %s failed.", address, exc_info=True)
        why = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise BackendError(f"{address} cannot be downloaded: {why}", ref=address) from None
    pinned = f"hf://{repository}@{found.sha}"
    if len(chosen) == 1:
        return HubDownload(folder / chosen[0], f"{pinned}/{chosen[0]}")
    return HubDownload(folder, pinned)


def _chosen(address: str, files: Sequence[str], file: str | None, *, pickle: bool) -> list[str]:
    """The files to download: a model folder of MLflow or kfnb as a whole, else the one file of the model."""
    allowed = (*_SAFE, *PICKLES) if pickle else _SAFE
    inside = [one for one in files if ".." not in PurePosixPath(one).parts]
    safe = [one for one in inside if PurePosixPath(one).suffix in allowed or one == MLMODEL]
    if file is None and (MLMODEL in files or FACTS in files):
        return safe
    models = [one for one in safe if PurePosixPath(one).suffix in (*_MODELS, *(PICKLES if pickle else ()))]
    found = [one for one in safe if one == file] if file else models
    if len(found) == 1:
        return found
    if found:
        hint = f"choose one: {address.rstrip('/')}/{found[0]}"
        raise UsageError(
            f"{address} has {len(found)} models, {', '.join(sorted(found))}:", hint=hint, ref=address
        )
    pickles = [one for one in files if PurePosixPath(one).suffix in PICKLES and file in (None, one)]
    if pickles and not pickle:
        message = f"{address} has only a pickle, {pickles[0]}, which executes code when it is loaded:"
        raise UsageError(message, hint="pass pickle=True (--pickle) if you trust it", ref=address)
    hint = f"downloaded are files with the extensions {', '.join(_SAFE)}"
    what = f"{file} is not a file that can be imported" if file else "no model was found"
    raise UsageError(f"{address}: {what};", hint=hint, ref=address)
