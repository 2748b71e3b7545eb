"""Every run that was recorded is shown whole, whichever of the server's neighbours can be asked."""

import copy
import json

import pytest
from recorded import AsItWas, at, beside, in_the_end, look_at, names, workflows
from replay import looks

from kfnb.entities import RunSnapshot, RunState
from kfnb.jobs.fold import Event
from kfnb.resources.runs.events import RunFold
from kfnb.resources.runs.kubeflow import metadata_cache, workflow_cache
from kfnb.resources.runs.kubeflow.components import Components
from kfnb.resources.runs.kubeflow.diff import changes
from kfnb.resources.runs.kubeflow.run_details import RunDetails
from kfnb.resources.runs.kubeflow.workflow import parse

WITHOUT_ROWS = "stock: large"
"""Its rows stay as they were when its Workflow grew over 1 MiB: 13 of 17 tasks have none, or an old one."""
NOTE = (
    "Kubeflow's API server has not recorded all of this run, as of workflows over 1 MiB: "
    "step-5, step-6, step-7, step-8, step-10 and 8 more are shown from {source}"
)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "stock"])
def servers(request):
    with beside(request.param) as found:
        found.stock = request.param
        yield found


def every(servers):
    return {name: run for name, run in names().items() if name.startswith("stock: ") is servers.stock}


def told_by_argo(run_id: str) -> dict[str, tuple[str, int]]:
    """The states and attempts of a run's tasks as its Workflow has them."""
    return {task: (str(node.state), node.attempts) for task, node in parse(workflows()[run_id]).tasks.items()}


def shown(run: RunSnapshot) -> dict[str, tuple[str, int]]:
    """Those of the tasks that were reached; a stopped run's tasks count as Argo has them."""
    words = {"CANCELED": "FAILED"}
    return {
        task.id: (
            words.get(str(task.state), str(task.state)),
            0 if task.cached or task.group else task.attempts,
        )
        for task in run.tasks
        if task.began
    }


@pytest.mark.parametrize("name", [name for name, run in names().items() if run in workflows()])
def test_rows_alone_tell_what_the_workflow_tells(name):
    run_id = names()[name]
    if name == WITHOUT_ROWS:
        return
    run, argo = in_the_end(run_id, None), told_by_argo(run_id)
    known = shown(run)
    if _retried(run_id):  # the Workflow is that of before
        assert {task: state for task, (state, _) in known.items()} == {task: argo[task][0] for task in known}
    else:
        assert known == {task: argo[task] for task in known}
    never = {task.id for task in run.tasks if not task.began}
    assert all(argo.get(task, ("SKIPPED", 0))[0] == "SKIPPED" for task in never)


def _retried(run_id: str) -> bool:
    return [entry["state"] for entry in looks(run_id)[-1]["state_history"]].count("RUNNING") > 1


@pytest.mark.parametrize("name", names())
def test_the_events_of_all_looks_add_up_to_the_last(name):
    run_id = names()[name]
    total, known, number = RunFold(run_id), None, 0
    for answer in looks(run_id):
        now = at(run_id, answer, None)
        for fact in changes(known, now, 1.0):
            number += 1
            total.add(Event(number, *fact))
        known = now
        assert {task.id: task for task in total.run.tasks} == {task.id: task for task in now.tasks}
        assert total.run.notes == now.notes


@pytest.mark.parametrize("name", names())
def test_a_task_that_has_ended_begins_no_second_time(name):
    run_id = names()[name]
    ended: dict[str, int] = {}
    for answer in looks(run_id):
        for task in at(run_id, answer, None).tasks:
            if task.state is RunState.RUNNING and task.id in ended:
                assert task.attempts > ended[task.id]
            elif task.state is RunState.SUCCEEDED:
                ended[task.id] = task.attempts


def test_every_task_that_ran_has_its_own_log(servers):
    for name, run_id in every(servers).items():
        run = in_the_end(run_id, servers.cluster())
        spec = looks(run_id)[-1]["pipeline_spec"]
        ran = {task.id for task in run.tasks if task.began and not task.group and not task.cached}
        lines = servers.cluster().logs(lambda run=run: run, spec, None, follow=False)
        assert {line.task for line in lines} <= ran, name


def test_every_launchers_pod_is_a_task_that_began(servers):
    for name, run_id in every(servers).items():
        run = in_the_end(run_id, servers.cluster(kubernetes=False))
        began = {task.id for task in run.tasks if task.began and not task.cached}
        pods = servers.cluster().pods(run)
        assert {pod.task for pod in pods if pod.role == "launcher"} <= began, name
        groups = {task.id for task in run.tasks} | {"", *_turns(run)}
        assert {pod.task for pod in pods if pod.role == "driver"} <= groups, name


def _turns(run: RunSnapshot) -> set[str]:
    return {task.id[: -len(task.name) - 1] for task in run.tasks if task.iteration is not None}


def test_what_succeeded_has_its_outputs(servers):
    for name, run_id in every(servers).items():
        run = in_the_end(run_id, servers.cluster())
        components = Components(looks(run_id)[-1]["pipeline_spec"])
        for task in run.tasks:
            declared = components.of(task.id).outputs
            if task.state is RunState.SUCCEEDED and not task.group:
                assert set(task.outputs) == {*declared.parameters, *declared.artifacts}, f"{name}: {task.id}"


@pytest.mark.parametrize(("metadata", "kubernetes"), [(True, True), (True, False), (False, True)])
def test_a_run_whose_rows_are_incomplete_is_shown_whole_all_the_same(metadata, kubernetes):
    with beside(stock=True) as servers:
        cluster = servers.cluster(metadata=metadata, kubernetes=kubernetes)
        run = in_the_end(names()[WITHOUT_ROWS], cluster)
    assert {task.state for task in run.tasks} == {RunState.SUCCEEDED}
    assert all(5 < (task.seconds or 0) < 30 for task in run.tasks)
    assert run.notes == (NOTE.format(source="ML Metadata" if metadata else "the Argo Workflow"),)
    if metadata:
        assert [task.outputs["Output"] for task in run.tasks][-2:] == [8, "the end: 8"]


def test_rows_that_lag_behind_the_end_of_a_run_are_worth_no_note(servers):
    for name, run_id in every(servers).items():
        if name != WITHOUT_ROWS:
            notes = in_the_end(run_id, servers.cluster()).notes
            assert not [note for note in notes if "not recorded" in note], name


def test_what_nobody_tells_of_is_inferred_and_said():
    run = in_the_end(names()[WITHOUT_ROWS], None)
    assert {task.state for task in run.tasks} == {RunState.SUCCEEDED}
    (note,) = run.notes
    assert "there are no records of step-5, step-6, step-7, step-8, step-10 and 8 more" in note
    assert "%kf_config metadata=ADDRESS or context=NAME" in note


def test_a_branch_that_nobody_tells_of_is_not_taken_for_one_that_ran():
    answer = copy.deepcopy(looks(names()["stock: rates 1"])[-1])
    rows = answer["run_details"]["task_details"]
    rows[:] = [row for row in rows if not row.get("display_name", "").startswith(("condition-4", "big"))]
    run = at("x", answer, None)
    assert {task.state for task in run.tasks if task.name == "condition-4"} == {RunState.SKIPPED}
    (note,) = run.notes
    assert "there are no records of for-loop-2/0/condition-branches-3/condition-4, for-loop-2/1/" in note


def test_while_rows_stand_still_tasks_go_on():
    """The run is RUNNING, its rows are those of when it grew too large, and ML Metadata knows more."""
    answer = copy.deepcopy(looks(names()[WITHOUT_ROWS])[-1])
    answer.update(state="RUNNING", finished_at="1970-01-01T00:00:00Z")
    del answer["state_history"][-1]
    with beside(stock=True) as servers:
        run = at(names()[WITHOUT_ROWS], answer, servers.cluster(kubernetes=False))
    states = {task.name: task.state for task in run.tasks}
    assert states["step-16"] is RunState.SUCCEEDED
    assert not [note for note in run.notes if "not recorded" in note]


@pytest.mark.parametrize(("metadata", "kubernetes"), [(True, True), (True, False), (False, True)])
def test_while_rows_stand_still_what_runs_is_seen_to_run(monkeypatch, metadata, kubernetes):
    """At each moment of the run after its rows have stopped, and at a second look at it."""
    for cache in (metadata_cache, workflow_cache):
        monkeypatch.setattr(cache, "_OLD", 0.0)
    run_id = names()[WITHOUT_ROWS]
    answer = copy.deepcopy(looks(run_id)[-1])
    answer.update(state="RUNNING", finished_at="1970-01-01T00:00:00Z")
    with beside(stock=True) as servers:
        was = AsItWas(run_id, servers.metadata)
    look = look_at(run_id, answer, RunDetails(was if metadata else None, None, was if kubernetes else None))
    nodes = parse(workflows()[run_id]).tasks
    ends = {task.id: nodes[task.id].finished or 0.0 for task in look.watch.run().tasks}
    _, _, _, _, was.now, *_, last = sorted(ends.values())
    while was.now < last:
        states = {task.id: task.state for task in look.watch.run(0).tasks}
        ended = {task for task, state in states.items() if state is RunState.SUCCEEDED}
        assert {task for task, at in ends.items() if at <= was.now} <= ended
        assert ended <= {task for task, at in ends.items() if at <= was.now + 20}  # Argo is the last to know
        going = {pod.task for pod in was.of_run(run_id) if (pod.role, pod.phase) == ("launcher", "Running")}
        assert {states[task] for task in going - ended} <= {RunState.RUNNING}
        was.now += 7


def test_of_a_workflow_whose_nodes_argo_keeps_elsewhere_no_task_is_known():
    item = copy.deepcopy(next(iter(workflows().values())))
    item["status"] = {"phase": "Succeeded", "offloadNodeStatusVersion": "fnv:1"}
    assert parse(item).tasks == {}


def test_a_retried_runs_task_that_comes_later_waits_again():
    answer = copy.deepcopy(looks(names()["stock: fails in a loop"])[-1])
    answer.update(state="RUNNING", finished_at="1970-01-01T00:00:00Z")
    for row in answer["run_details"]["task_details"]:
        if row.get("state") == "FAILED":
            row.update(state="RUNNING", end_time="1970-01-01T00:00:00Z")
    states = {task.id: task.state for task in at("x", answer, None).tasks}
    assert states["for-loop-2/1/divide"] is RunState.RUNNING
    assert states["for-loop-2/1/divide-2"] is RunState.PENDING


def test_pods_that_were_lost_are_attempts():
    run = in_the_end(names()["stock: pods lost"], None)
    assert {task.name: task.attempts for task in run.tasks} == {"patient": 1, "patient-2": 3}


def test_a_retried_task_began_when_it_was_first_tried():
    (divide,) = in_the_end(names()["stock: retries 2"], None).tasks
    assert (divide.attempts, divide.began[1] - divide.began[0] > 400) == (2, True)


def test_states_that_metadata_leave_running_colour_nothing(servers):
    for name, run_id in every(servers).items():
        run = in_the_end(run_id, servers.cluster())
        if run.state.finished:
            assert all(task.state.finished for task in run.tasks), name
            assert json.dumps([str(task.state) for task in run.tasks]) == json.dumps(
                [str(task.state) for task in in_the_end(run_id, None).tasks]
            ), name


def test_branches_are_told_with_what_was_decided():
    with beside(stock=False) as servers:
        run = in_the_end(names()["not good enough"], servers.cluster())
        assert {task.condition: task.decided for task in run.tasks if task.condition} == {
            "if train > threshold": "0.6 > 0.7: not taken",
            "else": "train = 0.6, threshold = 0.7: taken",
        }
        unknown = in_the_end(names()["not good enough"], servers.cluster(metadata=False))
        assert {task.decided for task in unknown.tasks} == {""}
