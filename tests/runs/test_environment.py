"""What a PipelineSpec tells of the environment that its steps run in."""

import pytest
from kfp import dsl
from local_runs import spec_of

from kfnb.resources.runs.installs import packages
from kfnb.resources.runs.step_packages import environment_of


@dsl.component(
    base_image="python:3.11-slim",
    packages_to_install=["pandas==2.3.1", "scikit-learn==1.7.0"],
    pip_index_urls=["https://index.example/simple"],
)
def train() -> str:
    return "pip install nothing"


@dsl.component(base_image="python:3.12", install_kfp_package=False)
def bare() -> str:
    return "bare"


@dsl.container_component
def shell():
    return dsl.ContainerSpec(image="alpine:3", command=["echo", "hi"])


@dsl.pipeline(name="all")
def pipeline():
    train()
    bare()
    shell()


def test_each_component_tells_its_image_and_what_it_installs():
    assert environment_of(spec_of(pipeline)) == {
        "bare: image": "python:3.12",
        "shell: image": "alpine:3",
        "train: image": "python:3.11-slim",
        "train: packages": "pandas==2.3.1, scikit-learn==1.7.0",
    }


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("", []),
        ("echo hello", []),
        (
            "pip install --quiet -i https://x.org/simple a==1 'b>=2' && pip install c && run",
            ["a==1", "b>=2", "c"],
        ),
        ("python3 -m pip install 'kfp==2.14.3' kfp-kubernetes==2.0", ["kfp-kubernetes==2.0"]),
        ("pip install 'a==1", []),
        ("pip install a --index-url", ["a"]),
    ],
)
def test_packages_are_those_of_the_pip_commands(script, found):
    assert packages(script) == found


def test_a_pipeline_without_steps_of_its_own_has_no_environment():
    assert environment_of({"root": {}, "components": {"comp-x": {"dag": {}}}}) == {}
