"""A Kubeflow of several users, as a real one answered an editor of a namespace, a viewer, and one without rights."""

from __future__ import annotations

import pytest
import yaml
from replay import HASTE, serving, text_of

from kfnb.errors import BackendError
from kfnb.remote.kfp.server import KfpServer
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.selection import Selection
from kfnb.resources.schedules.kubeflow.engine import KubeflowScheduleEngine
from kfnb.resources.schedules.model import Recurrence
from kfnb.resources.uploads.engine import UploadEngine

SPEC = yaml.safe_load(text_of("pipeline-good.yaml"))


@pytest.fixture
def user(request):
    """The backend of one of the users, in namespace team-a."""
    with serving((f"users-{request.param}",)) as replay:
        yield KubeflowRunEngine(KfpServer(replay.url, retry=HASTE, namespace="team-a"))


def schedules_of(user: KubeflowRunEngine) -> KubeflowScheduleEngine:
    return KubeflowScheduleEngine(user.submitter)


def uploads_of(user: KubeflowRunEngine) -> UploadEngine:
    return UploadEngine(user.submitter.server)


def order(name: str, experiment: str = "") -> Submission:
    arguments = {"lr": 0.1, "rows": 300, "threshold": 0.7}
    return Submission(spec=SPEC, arguments=arguments, name=name, experiment=experiment)


@pytest.mark.parametrize("user", ["editor"], indirect=True)
def test_an_editor_works_in_the_namespace(user: KubeflowRunEngine):
    assert user.list() == []
    first, second = user.submit(order("of ada", "prices")), user.submit(order("of ada 2"))
    assert [(run.id, run.experiment) for run in user.list()] == [(first, "prices"), (second, "Default")]
    assert [run.name for run in user.list(Selection(experiment="prices"))] == ["of ada"]
    assert {one.name for one in user.experiments()} == {"prices", "Default"}
    assert (
        uploads_of(user).upload(SPEC, None, name="good-ada", version="", description="").version == "good-ada"
    )
    assert [one.name for one in uploads_of(user).list("")] == ["good-ada"]
    made = schedules_of(user).create(order("s-ada"), Recurrence(every=3600))
    assert [one.id for one in schedules_of(user).list()] == [made.id]
    user.stop(first)
    user.archive(first)


@pytest.mark.parametrize("user", ["viewer"], indirect=True)
def test_a_viewer_sees_all_and_is_told_what_may_not_be_done(user: KubeflowRunEngine):
    assert [run.name for run in user.list()] == ["of ada 2"]
    with pytest.raises(BackendError, match=r"you may not create runs .* in namespace team-a"):
        user.submit(order("of vic"))
    with pytest.raises(BackendError, match=r"you may not create jobs .* in namespace team-a"):
        schedules_of(user).create(order("s-vic"), Recurrence(every=3600))


@pytest.mark.parametrize("user", ["viewer"], indirect=True)
def test_an_upload_that_is_refused_without_a_reason_gets_the_likely_one(user: KubeflowRunEngine):
    with pytest.raises(
        BackendError, match=r"Failed to create a pipeline.*permission to create pipelines in namespace team-a"
    ):
        uploads_of(user).upload(SPEC, None, name="good-vic", version="", description="")


@pytest.mark.parametrize("user", ["nobody"], indirect=True)
def test_without_rights_each_refusal_names_the_right_that_is_missing(user: KubeflowRunEngine):
    with pytest.raises(BackendError, match=r"you may not list runs .* in namespace team-a"):
        user.list()
    with pytest.raises(BackendError, match=r"you may not list experiments .* in namespace team-a"):
        user.experiments()
    with pytest.raises(BackendError, match=r"you may not list pipelines .* in namespace team-a"):
        list(uploads_of(user).list(""))
    with pytest.raises(BackendError, match=r"you may not list jobs .* in namespace team-a"):
        list(schedules_of(user).list())


@pytest.mark.parametrize("users", ["editor"])
def test_without_a_namespace_the_user_is_asked_for_one(users: str):
    with serving((f"users-{users}",)) as replay:
        backend = KubeflowRunEngine(KfpServer(replay.url, retry=HASTE))
        with pytest.raises(
            BackendError, match="is a multi-user server, and no namespace is set: set your namespace"
        ):
            backend.list()
