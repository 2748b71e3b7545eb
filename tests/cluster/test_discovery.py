"""What a server knows is asked for at once, and piece by piece where it cannot tell it so."""

from asked_kubernetes import asking

from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.discovery import kinds

GROUP = "kubeflow.org"


def test_one_request_tells_all_kinds(replay):
    found = kinds(asking(replay.url, "viewer"), GROUP)
    assert len(replay.asked) == 1
    assert {
        "serving.kserve.io",
        "trainer.kubeflow.org",
        f"{GROUP}/v1/notebooks",
        f"{GROUP}/v1beta1/trials",
    } < found
    assert f"{GROUP}/v9/notebooks" not in found


def test_an_older_server_tells_the_same_in_the_plain_form(replay):
    """It passes over the forms that it does not know, and answers in the last one."""

    class Older(Kubernetes):
        def get(self, path, query=None, *, accept=""):
            del accept
            return super().get(path, query)

    newer = asking(replay.url, "viewer")
    plain = kinds(Older(lambda: newer.configuration), GROUP)
    names = {one for one in plain if one.count("/") < 2 or not one.endswith(("/status", "/scale"))}
    assert names == kinds(newer, GROUP)
