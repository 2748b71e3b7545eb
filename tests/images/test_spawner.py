"""An image's entry in the configuration of Kubeflow's page for new notebooks."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kfnb.cli import main
from kfnb.errors import UsageError
from kfnb.resources.images.spawner_entry import added, check, entry, unknown

NAME = "registry.example/team/kfnb:1"
CONFIG = """\
# the administrator's own words
spawnerFormDefaults:
  allowCustomImage: true
  image:
    # the default
    value: jupyter-scipy:v1
    options:
    - jupyter-scipy:v1  # the first
    - jupyter-full:v1

  # not for us
  imageGroupOne:
    value: codeserver:v1
    options:
    - codeserver:v1
  cpu:
    readOnly: false
    value: "0.5"
    limitFactor: "1.2"
"""


def test_the_entry_alone_is_a_configuration():
    found = yaml.safe_load(entry(NAME))
    check(found)
    assert found["spawnerFormDefaults"]["image"] == {"value": NAME, "options": [NAME]}


def test_an_image_is_added_and_all_else_stays_as_it_is_written():
    after = added(CONFIG, NAME)
    before, new = CONFIG.splitlines(), after.splitlines()
    (line,) = [line for line in new if line not in before]
    assert line == f"    - {NAME}"
    assert [one for one in new if one != line] == before
    assert yaml.safe_load(after)["spawnerFormDefaults"]["image"]["options"][-1] == NAME


def test_an_image_that_is_there_is_not_added_again():
    assert added(added(CONFIG, NAME), NAME) == added(CONFIG, NAME)


@given(
    names=st.lists(st.from_regex(r"[a-z]{1,8}:v[0-9]", fullmatch=True), max_size=4, unique=True),
    flow=st.booleans(),
    indent=st.integers(0, 6),
    last=st.booleans(),
)
def test_however_the_options_are_written_the_image_is_one_of_them(names, flow, indent, last):
    listed = "".join(f"\n{' ' * (4 + indent)}- {name}" for name in names)
    if flow or not names:
        listed = f" [{', '.join(names)}]"
    end = "" if last else "\n  shm:\n    value: true\n"
    text = f"spawnerFormDefaults:\n  image:\n    value: a:v1\n    options:{listed}{end}"
    before, after = yaml.safe_load(text), yaml.safe_load(added(text, NAME))
    before["spawnerFormDefaults"]["image"]["options"].append(NAME)
    assert after == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"image": None}, "image: None is not of type 'object'"),
        ({"image": {"value": "a"}}, "'options' is a required property"),
        ({"image": {"value": "a", "options": ["a", 1]}}, "image.options.1: 1 is not of type 'string'"),
        ({"imagePullPolicy": {"value": "Sometimes"}}, "imagePullPolicy.value: 'Sometimes' is not one of"),
        ({"cpu": {"value": 0.5}}, "cpu.value: 0.5 is not of type 'string'"),
        ({"gpus": {"value": {"num": 1}}}, "gpus.value.num: 1 is not of type 'string'"),
        ({"workspaceVolume": {"value": {"mount": "/home"}}}, "workspaceVolume.value"),
        ({"shm": {"value": "yes"}}, "shm.value: 'yes' is not of type 'boolean'"),
        ({"configurations": {"value": "one"}}, "configurations.value: 'one' is not of type 'array'"),
    ],
)
def test_a_configuration_that_kubeflows_page_stumbles_over_is_refused_with_the_place(change, told):
    config = yaml.safe_load(CONFIG)
    config["spawnerFormDefaults"] |= change
    with pytest.raises(UsageError) as caught:
        added(yaml.safe_dump(config), NAME)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no spawnerFormDefaults"),
        ("a: [", "is not valid YAML"),
        ("image: {}", "has no spawnerFormDefaults"),
        ("kind: ConfigMap\ndata: {}", "give what is in its data"),
    ],
)
def test_what_is_no_configuration_is_said(text, told):
    with pytest.raises(UsageError, match=told):
        added(text, NAME)


def test_keys_that_the_page_passes_over_are_told_and_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spawner.yaml").write_text(f"{CONFIG}  imagee:\n    value: x\n")
    assert unknown(yaml.safe_load((tmp_path / "spawner.yaml").read_text())) == ["imagee"]
    assert main(["image", "--name", NAME, "--spawner", "spawner.yaml"]) == 0
    out = capsys.readouterr()
    assert "ignores spawnerFormDefaults.imagee" in out.err
    written = yaml.safe_load((tmp_path / "kfnb-image/spawner_ui_config.yaml").read_text())
    assert written["spawnerFormDefaults"]["imagee"] == {"value": "x"}


def test_the_command_writes_the_entry_beside_the_dockerfile(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["image", "--name", NAME, "--spawner"]) == 0
    assert (tmp_path / "kfnb-image/spawner-entry.yaml").read_text() == entry(NAME)
    assert "jupyter-web-app-config" in capsys.readouterr().err
