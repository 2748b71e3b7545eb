"""What a monitor on a cluster cannot do of what is requested: its pods have no token."""

from __future__ import annotations

from kfnb.errors import UsageError
from kfnb.resources.monitors.model import ALERT, RETRAIN, MonitorSpec, argument_of, kind_of

_HINT = "leave that out, or serve and monitor here: --backend local"


def refuse(spec: MonitorSpec) -> None:
    """Raise ``UsageError`` for the first rule or step that a cluster's pods cannot do."""
    for rule in spec.rules:
        if rule.kind == "estimate":
            raise _refused(f"rule {rule.id}: pods do not load the model, which the rule needs", rule.id)
        if rule.kind == "latency":
            raise _refused(
                "rule latency: KServe's logger does not say how long requests took, which the rule needs",
                rule.id,
            )
    for text in spec.then:
        _check_step(text)
    retrainings = [text for text in spec.then if kind_of(text) == RETRAIN]
    if len(retrainings) > 1:
        raise _refused(
            f"--then {retrainings[1]}: a monitor on a cluster retrains one pipeline", retrainings[1]
        )


def _check_step(text: str) -> None:
    kind = kind_of(text)
    if kind == ALERT and argument_of(text):
        raise _refused(
            f"--then {ALERT}: a webhook or a command is not called from pods, where its address would be readable;"
            f" {ALERT} alone shows the alarm in the monitor",
            text,
        )
    if kind not in (ALERT, RETRAIN):
        raise _refused(
            f"--then {text}: the pods of a monitor on a cluster have no token to change a service with; they can"
            f" {RETRAIN}, and you {kind}",
            text,
        )


def _refused(message: str, ref: str) -> UsageError:
    return UsageError(f"{message}:", code="invalid-argument", hint=_HINT, ref=ref)
