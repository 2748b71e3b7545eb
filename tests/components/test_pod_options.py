"""What a step asks of its pod, as it is typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.capture.pod import EnvVariable, Folder, KeyVariable, NodeLabel, PodSettings, Toleration
from kfnb.commands.command import parser_of
from kfnb.commands.command import read as read_line
from kfnb.errors import UsageError
from kfnb.resources.components.commands import DefineComponent
from kfnb.resources.components.pod_options import read_pod


def read(words: str | list[str]) -> PodSettings:
    parser = parser_of(DefineComponent, "%%kf_component", notebook=True)
    line = f"train {words}" if isinstance(words, str) else words
    found = read_line(DefineComponent, parser, line).command
    assert isinstance(found, DefineComponent)
    return read_pod(found)


def test_a_step_that_asks_for_nothing_gets_what_the_cluster_gives() -> None:
    assert read("") == PodSettings()


def test_an_environment_variable_may_have_any_value() -> None:
    assert read("--env A=1 --env 'B=x = y' --env C=").env == (
        EnvVariable("A", "1"),
        EnvVariable("B", "x = y"),
        EnvVariable("C", ""),
    )


@pytest.mark.parametrize(("option", "holder"), [("--secret", "secret"), ("--config-map", "config_map")])
def test_a_key_becomes_a_variable_and_a_path_a_folder(option: str, holder: str) -> None:
    pod = read(f"{option} db:password=DB_PASSWORD {option} s3:AWS_KEY {option} db:/etc/db/")
    assert pod.keys == (
        KeyVariable(holder, "db", "password", "DB_PASSWORD"),  # type: ignore[arg-type]
        KeyVariable(holder, "s3", "AWS_KEY", "AWS_KEY"),  # type: ignore[arg-type]
    )
    assert pod.folders == (Folder(holder, "db", "/etc/db"),)  # type: ignore[arg-type]


def test_a_volume_claim_is_mounted() -> None:
    assert read("--pvc my-data:/data --pvc models:/mnt/models").folders == (
        Folder("pvc", "my-data", "/data"),
        Folder("pvc", "models", "/mnt/models"),
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("dedicated=ml:NoSchedule", Toleration("dedicated", "ml", "NoSchedule")),
        ("nvidia.com/gpu:NoSchedule", Toleration("nvidia.com/gpu", None, "NoSchedule")),
        ("dedicated=ml", Toleration("dedicated", "ml", "")),
        ("spot", Toleration("spot", None, "")),
        ("spot=:NoExecute", Toleration("spot", "", "NoExecute")),
    ],
)
def test_a_toleration_is_written_as_a_taint(text: str, meant: Toleration) -> None:
    assert read(f"--toleration {text}").tolerations == (meant,)


def test_where_a_step_may_run() -> None:
    pod = read(
        "--node-selector disk=ssd --node-selector topology.kubernetes.io/zone=a --image-pull-secret mine"
        " --gpu 2 --accelerator amd.com/gpu --cpu 500m --memory 4Gi --timeout 90s"
    )
    assert pod.node_labels == (NodeLabel("disk", "ssd"), NodeLabel("topology.kubernetes.io/zone", "a"))
    assert (pod.pull_secrets, pod.gpu, pod.accelerator) == (("mine",), 2, "amd.com/gpu")
    assert (pod.cpu, pod.memory, pod.timeout) == ("500m", "4Gi", 90)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--env A", "--env A: write NAME=VALUE"),
        ("--env 1A=2", "--env 1A=2: write NAME=VALUE"),
        ("--secret db", "--secret db: write NAME:KEY=VARIABLE for an environment variable, NAME:/PATH for"),
        ("--secret DB:key=X", "--secret DB:key=X: write"),
        ("--secret db:tls.crt", "name the environment variable, db:tls.crt=NAME"),
        ("--config-map c:k=a-b", "--config-map c:k=a-b: write"),
        ("--secret db:/a:/b", "--secret db:/a:/b: write NAME:KEY=VARIABLE or NAME:/PATH"),
        ("--pvc data:relative", "--pvc data:relative: write NAME:/PATH"),
        ("--pvc data:/", "/ is not a valid mount path"),
        ("--pvc data:/a/../b", "/a/../b is not a valid mount path"),
        ("--pvc a:/data --pvc b:/data/", "the path /data is given more than once"),
        ("--env A=1 --secret db:k=A", "the environment variable A is given more than once"),
        ("--node-selector disk", "--node-selector disk: write KEY=VALUE"),
        ("--node-selector disk=a --node-selector disk=b", "--node-selector disk is given more than once"),
        ("--toleration a=b:Never", "--toleration a=b:Never: write KEY=VALUE:EFFECT"),
        ("--image-pull-secret My_Secret", "--image-pull-secret My_Secret: write a name as Kubernetes has it"),
        ("--timeout 600", "--timeout '600' is not a duration: write 90s"),
        ("--accelerator amd.com/gpu", "--accelerator amd.com/gpu: give the number too, --gpu 1"),
        ("--gpu -1", "--gpu -1: give a number from 0 on"),
        ("--cpu two", "--cpu two: write it as Kubernetes does"),
    ],
)
def test_what_is_written_wrong_is_told_in_one_line(words: str, told: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(words)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "option",
    ["--env", "--secret", "--config-map", "--pvc", "--node-selector", "--toleration", "--image-pull-secret"],
)
@given(
    text=st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1).filter(
        lambda t: t[0] != "-"
    )
)
def test_any_word_is_read_or_refused_in_words(option: str, text: str) -> None:
    told = ""
    try:
        read(["train", option, text])
    except UsageError as error:
        told = str(error)
    assert not told or option in told
