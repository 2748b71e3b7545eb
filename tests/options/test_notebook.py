"""The words of ``%kf_notebook``."""

import pytest

from kfnb import options
from kfnb.errors import UsageError
from kfnb.model.notebook import Mount


def read(line):
    parser = options.notebook()
    found = parser.read(line)
    options.check_notebook(parser, found)
    return found


def test_without_words_notebooks_are_listed():
    assert read("").verb == "list"


def test_what_is_not_said_is_the_usual():
    asked = options.asked_notebook(read("create n --image a:1"))
    assert (asked.cpu, asked.memory, asked.gpu, asked.service_account) == ("0.5", "1Gi", 0, "default-editor")


def test_all_words_are_taken():
    asked = options.asked_notebook(
        read(
            "create n --image a:1 --cpu 2 --memory 4Gi --gpu 1 --accelerator amd.com/gpu --size 1Gi "
            "--volume data:/data/ --volume more:/more --service-account me"
        )
    )
    assert asked.mounts == (Mount("data", "/data"), Mount("more", "/more"))
    assert (asked.accelerator, asked.size, asked.service_account) == ("amd.com/gpu", "1Gi", "me")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("fly", "unknown verb fly"),
        ("list n", "list takes no name"),
        ("stop", "say which notebook: stop NAME"),
        ("stop n --image a", "stop has no --image"),
        ("stop n --wait", "stop has no --wait"),
        ("start n --yes", "start has no --yes"),
        ("list --kind v1", "list has no --kind"),
        ("create n --yes", "create has no --yes"),
        ("delete n --volume a:/b", "delete has no --volume"),
        ("delete n --dry-run", "delete has no --dry-run"),
        ("create n --kind v3", "v3"),
        ("create n --imag a", "did you mean --image?"),
        ("create n --dry-run --wait", "--dry-run creates nothing"),
        ("start n --timeout 1m", "--timeout says for how long --wait waits"),
        ("create n -o 1x", "-o 1x: that is no name"),
    ],
)
def test_words_that_mean_nothing_together_are_said(line, told):
    with pytest.raises(UsageError) as caught:
        read(line)
    assert told in str(caught.value)


@pytest.mark.parametrize("volume", ["data", "data:", ":/data", "data:rel"])
def test_a_volume_has_a_name_and_a_path(volume):
    with pytest.raises(UsageError, match="write NAME:/PATH"):
        options.asked_notebook(read(f"create n --image a:1 --volume {volume}"))


def test_an_accelerator_is_counted():
    with pytest.raises(UsageError, match="say how many"):
        options.asked_notebook(read("create n --image a:1 --accelerator amd.com/gpu"))


def test_a_time_to_wait_is_a_span():
    assert options.waiting_time(read("start n --wait --timeout 2m"), 600) == 120
    assert options.waiting_time(read("start n --wait"), 600) == 600
    with pytest.raises(UsageError, match="--timeout 'soon' is no span"):
        options.waiting_time(read("start n --wait --timeout soon"), 600)
