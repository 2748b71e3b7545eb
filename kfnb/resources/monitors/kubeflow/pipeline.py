"""The pipeline of a monitor: collect, check, and where an alarm asks for it the pipeline that retrains.

The retraining is a branch of the same pipeline, so that no pod needs a token of Kubeflow's.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from kfnb.pipeline.pipeline import compile_program, from_kfp
from kfnb.pipeline.spec import Compiled
from kfnb.resources.monitors.kubeflow import steps
from kfnb.resources.monitors.kubeflow.kit import PLACES
from kfnb.server.standalone import renamed

_NAME = "monitor"


@dataclass(frozen=True)
class PlaceOfPods:
    """How pods reach a monitor's place: obstore's ``options`` of the store, and the ``path`` of the place
    (``bucket/key``).
    """

    service: str
    path: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MonitorPods:
    """What the pods of a monitor run as: an image, what they install from where, and the store's keys.

    ``secret`` is the name of the secret with the keys, empty where the pods' own account may read the store;
    ``variables`` are environment variables by the names of its keys.
    """

    image: str
    requirements: Sequence[str]
    index_urls: Sequence[str] = ()
    secret: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


def monitor_pipeline(
    name: str, place: PlaceOfPods, kit: str, pods: MonitorPods, retraining: Compiled | None
) -> Compiled:
    """The pipeline of the monitor ``name``, compiled. Raises ``PipelineError``."""
    program = _program(name, place, kit, pods, retraining)
    return from_kfp(compile_program(_NAME, program))


def _program(name: str, place: PlaceOfPods, kit: str, pods: MonitorPods, retraining: Compiled | None) -> str:
    shared = f"place={json.dumps(asdict(place))!r}, kit={kit!r}"
    run = "run=dsl.PIPELINE_JOB_ID_PLACEHOLDER"
    counted = "window=window.outputs['window']"
    body = [
        f"window = {_task('collect', shared, pods)}",
        f"checked = {_task('check', f'{shared}, {run}, {counted}', pods)}",
    ]
    if retraining is not None:
        body += [
            'with dsl.If(checked.outputs["Output"] == True, "alarm"):',
            "    retrained = retrain()",
            f"    {_task('finish', f'{shared}, {run}', pods)}.after(retrained)",
        ]
    parts = [
        "from kfp import components, dsl, kubernetes",
        inspect.getsource(steps.kfnb_unpacked),
        _KEYS,
        *(_component(one, pods) for one in ("collect", "check", "finish")),
        f"retrain = components.load_component_from_text({_text(retraining)!r})" if retraining else "",
        f'@dsl.pipeline(name="kfnb-monitor-{name}")\ndef {_NAME}():\n'
        + "\n".join(f"    {line}" for line in body),
    ]
    return "\n\n".join(parts) + "\n"


_KEYS = """def with_keys(task, secret, variables):
    if secret:
        kubernetes.use_secret_as_env(task, secret_name=secret, secret_key_to_env=variables)
    return task
"""


def _task(step: str, arguments: str, pods: MonitorPods) -> str:
    return f"with_keys({step}({arguments}), {pods.secret!r}, {dict(pods.variables)!r})"


def _component(step: str, pods: MonitorPods) -> str:
    options = {
        "base_image": pods.image,
        "packages_to_install": list(pods.requirements),
        **({"pip_index_urls": list(pods.index_urls)} if pods.index_urls else {}),
    }
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    source = renamed(inspect.getsource(getattr(steps, step)), PLACES)
    return f"@dsl.component({given}, additional_funcs=[kfnb_unpacked])\n{source}"


def _text(compiled: Compiled) -> str:
    """A compiled pipeline as the text of KFP's YAML, which JSON is a part of."""
    documents = [compiled.spec, *([compiled.platform] if compiled.platform else [])]
    return "\n---\n".join(json.dumps(one) for one in documents)
