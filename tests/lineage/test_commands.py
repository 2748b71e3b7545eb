"""``%kf_lineage`` and ``kfnb lineage``, what they show, and ``kfnb catalog``."""

import json

import pytest
from homes import Step, artifact, churn, digest, write_run

import kfnb
from kfnb import cli
from kfnb.commands.display import bundle

RUN = "261130-080000-aaaa"


def test_the_text_has_what_it_was_made_of_and_what_it_was_used_for_as_trees(home):
    churn(home)
    text = bundle(kfnb.lineage(f"{RUN}/train"))["text/plain"]
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == f"Lineage of {RUN}/train"
    assert lines.index("Made of") < lines.index("Used for")
    assert any(line.startswith("df of raw") and "dataset" in line for line in lines)
    assert any(line.startswith("✓ load") and RUN in line for line in lines)
    assert text.index("report model") > text.index("Used for")


def test_what_was_met_before_is_not_told_twice(home):
    churn(home)
    text = bundle(kfnb.lineage(f"{RUN}/load"))["text/plain"]
    assert text.count("evaluate") == 2
    assert text.count("report model") == 1
    assert "as above" in text


def test_a_run_was_made_of_what_it_did_not_make_itself(home):
    churn(home)
    text = bundle(kfnb.lineage(RUN))["text/plain"]
    made_of, used_for = text.split("Made of")[1].split("Used for")
    assert "raw" in made_of
    assert not any(word in made_of for word in ("df of raw", "model", "train"))
    assert all(word in used_for for word in ("df of raw", "model", "report model"))


def test_the_page_has_a_picture_and_no_more_than_it_can_hold(home):
    churn(home)
    html = bundle(kfnb.lineage(RUN))["text/html"]
    assert html.count("<svg") == 1
    steps = [Step(f"s{n}", takes={"x": "x"}, makes={"y": f"y{n}"}) for n in range(400)]
    write_run(home, "261130-090000-bbbb", *steps)
    shown = bundle(kfnb.lineage(digest("x")))
    assert "<svg" not in shown["text/html"]
    assert "too large to draw" in shown["text/plain"]
    assert "There are more" in shown["text/plain"]


def test_a_task_of_a_loop_is_called_by_its_iteration(home):
    write_run(home, RUN, Step("for-loop-2/7/condition-3/train", makes={"model": "m"}))
    shown = bundle(kfnb.lineage(digest("m")))
    assert "✓ train [7]" in shown["text/plain"]
    assert ">train [7]<" in shown["text/html"]
    assert f"{RUN}/for-loop-2/7/condition-3/train" in shown["text/html"]  # on hover


def test_hostile_words_are_only_words(home):
    evil = "<script>alert('1')</script>\x1b[31m"
    step = Step(
        evil, takes={evil: artifact("x", name=evil, uri=evil)}, makes={evil: artifact("y", name=evil)}
    )
    write_run(home, RUN, step, pipeline=evil)
    shown = bundle(kfnb.lineage(RUN))
    assert "<script" not in shown["text/html"]
    assert "\x1b" not in shown["text/html"] + shown["text/plain"]


def test_what_nothing_is_known_of_says_so(home):
    write_run(home, RUN, Step("load"))
    assert "Nothing is known" in bundle(kfnb.lineage(f"{RUN}/load"))["text/plain"]
    write_run(home, "261130-090000-bbbb", state="")
    shown = bundle(kfnb.lineage("261130-090000-bbbb"))["text/plain"]
    assert "no task of run 261130-090000-bbbb has started" in shown


def test_the_magic_binds_the_lineage_and_takes_objects(shell, home):
    churn(home)
    shell.run(f"%kf_lineage {RUN}/train -o found")
    assert isinstance(shell["found"], kfnb.Lineage)
    shell.run(f"import kfnb; run = kfnb.run('{RUN}')")
    shell.run("%kf_lineage run --up -o above")
    assert shell["above"].ref == RUN
    assert len(shell["above"].nodes) < len(kfnb.lineage(RUN).nodes)
    assert "unknown reference churn" in shell.fails("%kf_lineage churn")
    assert "--depth -1" in shell.fails("%kf_lineage churn --depth -1")


def test_a_terminal_prints_text_or_json(home, capsys):
    churn(home)
    assert cli.main(["lineage", f"{RUN}/train", "--down", "--depth", "1"]) == 0
    assert "Used for" in capsys.readouterr().out
    assert cli.main(["lineage", RUN, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["runs"] == [RUN]
    assert {node["kind"] for node in found["nodes"]} == {"task", "artifact"}
    assert cli.main(["lineage", "nothing"]) == 1
    assert "unknown reference nothing" in capsys.readouterr().err


def test_the_catalog_is_built_again(home, capsys):
    churn(home)
    assert cli.main(["catalog", "rebuild"]) == 0
    assert capsys.readouterr().out.startswith(f"1 record in {home}")
    assert cli.main(["catalog"]) == 2


@pytest.mark.slow
def test_runs_of_the_engine_meet_by_what_they_made(shell, home):
    shell.run("%%kf_component load\nrows = list(range(30000))")
    shell.run("%%kf_component train --output model\nmodel = {'weight': [float(row) for row in rows] * 3}")
    shell.run("%kf_pipeline both load train")
    shell.run("%kf_submit both -o run")
    first = shell["run"].wait(120)
    found = kfnb.lineage(first)
    assert [node.state for node in found.nodes if node.kind == "task"] == ["SUCCEEDED"] * 2
    assert all(node.digest for node in found.nodes if node.kind == "artifact")
    again = shell.submit("both")  # from the cache: the same content
    assert again.tasks["train"].cached
    assert kfnb.lineage(first.outputs["train"]["model"]).runs == tuple(sorted((first.id, again.id)))
