"""The words of ``%kf_notebook``."""

import pytest

from kfnb.commands.command import parser_of
from kfnb.commands.command import read as read_line
from kfnb.errors import UsageError
from kfnb.resources.notebooks.commands import ManageNotebooks
from kfnb.resources.notebooks.model import Mount


def read(line):
    return read_line(ManageNotebooks, parser_of(ManageNotebooks, "%kf_notebook", notebook=True), line).command


def test_without_words_notebooks_are_listed():
    assert read("").verb == "list"


def test_what_is_not_said_is_the_usual():
    asked = read("create n --image a:1").requested()
    assert (asked.cpu, asked.memory, asked.gpu, asked.service_account) == ("0.5", "1Gi", 0, "default-editor")


def test_all_words_are_taken():
    asked = read(
        "create n --image a:1 --cpu 2 --memory 4Gi --gpu 1 --accelerator amd.com/gpu --size 1Gi "
        "--volume data:/data/ --volume more:/more --service-account me"
    ).requested()
    assert asked.mounts == (Mount("data", "/data"), Mount("more", "/more"))
    assert (asked.accelerator, asked.size, asked.service_account) == ("amd.com/gpu", "1Gi", "me")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("fly", "unknown verb fly"),
        ("list n", "list takes no name"),
        ("stop", "a notebook is required: stop NAME"),
        ("stop n --image a", "--image cannot be used with stop"),
        ("stop n --wait", "--wait cannot be used with stop"),
        ("start n --yes", "--yes cannot be used with start"),
        ("list --kind v1", "--kind cannot be used with list"),
        ("create n --yes", "--yes cannot be used with create"),
        ("delete n --volume a:/b", "--volume cannot be used with delete"),
        ("delete n --dry-run", "--dry-run cannot be used with delete"),
        ("create n --kind v3", "v3"),
        ("create n --imag a", "did you mean --image?"),
        ("create n --dry-run --wait", "--dry-run and --wait cannot be combined"),
        ("start n --timeout 1m", "--timeout requires --wait"),
        ("create n -o 1x", "-o 1x: not a valid name"),
    ],
)
def test_words_that_mean_nothing_together_are_said(line, told):
    with pytest.raises(UsageError) as caught:
        read(line)
    assert told in str(caught.value)


@pytest.mark.parametrize("volume", ["data", "data:", ":/data", "data:rel"])
def test_a_volume_has_a_name_and_a_path(volume):
    with pytest.raises(UsageError, match="write NAME:/PATH"):
        read(f"create n --image a:1 --volume {volume}").requested()


def test_an_accelerator_is_counted():
    with pytest.raises(UsageError, match="--gpu N is required"):
        read("create n --image a:1 --accelerator amd.com/gpu").requested()


def test_a_time_to_wait_is_a_span():
    assert read("start n --wait --timeout 2m").seconds == 120
    assert read("start n --wait").seconds == 600
    with pytest.raises(UsageError, match="--timeout 'soon' is not a duration"):
        assert read("start n --wait --timeout soon").seconds
