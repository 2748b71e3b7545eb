"""What differs between two manifests, and how much it matters."""

from __future__ import annotations

import pytest

from kfnb.entities.manifest import Layer, LayerName, Manifest, StepEnvironment
from kfnb.entities.manifest_facts import FACTS
from kfnb.resources.provenance.diff import difference
from kfnb.resources.provenance.diff_view import diff_data, draw_manifest_diff, summary
from kfnb.resources.provenance.effects import Effect
from kfnb.resources.provenance.rules import RULES

OUTCOMES = {"digest", "outputs", "metrics"}
FOLLOWING = {"packages_digest"}


def manifest(ref="a", hidden=None, **layers):
    """A manifest with the facts of some layers."""
    found = tuple(
        Layer(LayerName(name), facts, (hidden or {}).get(name, {})) for name, facts in layers.items()
    )
    return Manifest(ref, "run", layers=found)


def only(layer, fact, before, after, **others):
    """The only difference between two manifests that differ in one fact."""
    one = manifest("a", **{**others, layer: {**others.get(layer, {}), fact: before}})
    two = manifest("b", **{**others, layer: {**others.get(layer, {}), fact: after}})
    (found,) = difference(one, two).differences
    return found


def package(version, digest="d", **more):
    return {"version": version, "digest": digest, **more}


def test_every_fact_has_a_rule_but_results_and_what_follows_from_others():
    for layer, facts in FACTS.items():
        assert set(RULES[layer]) | OUTCOMES | FOLLOWING >= set(facts), layer


def test_equal_manifests_promise_the_same_numbers():
    one = manifest(tooling={"python": "3.11.7"}, hardware={"blas_kernel": "Haswell"})
    found = difference(one, one)
    assert found.differences == found.causes == ()
    assert found.effect is Effect.SAME
    assert summary(found) == ""


@pytest.mark.parametrize(
    ("layer", "fact", "before", "after", "effect"),
    [
        ("model", "code", {"train": "1"}, {"train": "2"}, Effect.RESULTS),
        ("model", "arguments", {"C": 1.0}, {"C": 2.0}, Effect.RESULTS),
        ("model", "seed", 0, None, Effect.RESULTS),
        ("model", "data", {"churn-data@1": "1"}, {"churn-data@1": "2"}, Effect.RESULTS),
        ("ux", "notebook", "a.ipynb", "b.ipynb", Effect.SAME),
        ("tooling", "python", "3.11.7", "3.11.9", Effect.SAME),
        ("tooling", "python", "3.11.7", "3.12.1", Effect.RESULTS),
        ("tooling", "kfnb", "1", "2", Effect.SAME),
        ("framework", "packages", {"numpy": package("2.1.0")}, {"numpy": package("2.2.0")}, Effect.RESULTS),
        ("framework", "packages", {"numpy": package("2.1.0")}, {"numpy": package("2.1.3")}, Effect.DIGITS),
        ("framework", "packages", {"numpy": package("2.1.0")}, {"numpy": package("2.1.0", "e")}, Effect.DIGITS),
        ("framework", "packages", {"numpy": package("2.1.0")}, {}, Effect.FAILS),
        ("framework", "packages", {}, {"numpy": package("2.1.0")}, Effect.SAME),
        ("framework", "packages", {"rich": package("1")}, {"rich": package("2")}, Effect.SAME),
        ("framework", "packages", {"rich": package("1")}, {}, Effect.SAME),
        ("framework", "packages", {"nvidia-cublas": package("1.2")}, {"nvidia-cublas": package("1.3")}, Effect.RESULTS),
        ("framework", "threads", {"openblas": 1}, {"openblas": 2}, Effect.DIGITS),
        ("framework", "blas_build", "OpenBLAS 0.3.27", "OpenBLAS 0.3.29", Effect.DIGITS),
        ("storage", "inputs", {"a": {"uri": "x", "digest": "1"}}, {"a": {"uri": "y", "digest": "1"}}, Effect.SAME),
        ("storage", "inputs", {"a": {"uri": "x", "digest": "1"}}, {"a": {"uri": "x", "digest": "2"}}, Effect.RESULTS),
        ("storage", "inputs", {"a": {"uri": "x"}}, {"a": {"uri": "y"}}, Effect.RESULTS),
        ("runtime", "image_digest", "sha256:1", "sha256:2", Effect.DIGITS),
        ("runtime", "node", "one", "two", Effect.SAME),
        ("runtime", "cpus", 4, 8, Effect.DIGITS),
        ("drivers", "cudnn", "8.9", "9.1", Effect.DIGITS),
        ("drivers", "nvidia", "535", "550", Effect.SAME),
        ("os", "libc", "glibc 2.31", "glibc 2.36", Effect.DIGITS),
        ("os", "locale", "C", "de_DE.UTF-8", Effect.RESULTS),
        ("os", "timezone", "UTC +0 h", "CET +1 h", Effect.RESULTS),
        ("os", "hash_seed", "0", "1", Effect.RESULTS),
        ("os", "environment", {"OMP_NUM_THREADS": "1"}, {}, Effect.DIGITS),
        ("accelerator", "devices", [{"model": "H200"}], [{"model": "A100"}], Effect.DIGITS),
        ("accelerator", "devices", [{"model": "H200"}], [], Effect.RESULTS),
        ("hardware", "blas_kernel", "SkylakeX", "Haswell", Effect.DIGITS),
        ("hardware", "blas_kernel", "SkylakeX", None, Effect.SAME),
        ("hardware", "flags", ["avx2", "avx512f"], ["avx2"], Effect.DIGITS),
        ("hardware", "flags", ["avx2", "bmi1"], ["avx2"], Effect.SAME),
        ("hardware", "memory", 1, 2, Effect.SAME),
    ],
)  # fmt: skip
def test_each_difference_says_how_much_it_matters_and_why(layer, fact, before, after, effect):
    found = only(layer, fact, before, after)
    assert found.effect is effect
    assert found.reason


def test_what_a_variable_chooses_is_compared_instead_of_the_variable():
    kernel = {"hardware": {"blas_kernel": "Haswell"}}
    assert only("os", "environment", {"OPENBLAS_CORETYPE": "Haswell"}, {}).effect is Effect.DIGITS
    assert only("os", "environment", {"OPENBLAS_CORETYPE": "Haswell"}, {}, **kernel).effect is Effect.SAME
    threads = {"framework": {"threads": {"openblas": 2}}}
    assert only("os", "environment", {"OMP_NUM_THREADS": "2"}, {}, **threads).effect is Effect.SAME


def test_cores_do_not_matter_where_the_threads_are_the_same():
    threads = {"framework": {"threads": {"openblas": 2}}}
    assert only("runtime", "cpus", 4, 8, **threads).effect is Effect.SAME
    assert only("hardware", "cores", 4, 8, **threads).effect is Effect.SAME
    assert only("hardware", "cpu", "x", "y", hardware={"blas_kernel": "Haswell"}).effect is Effect.SAME


def test_one_kernel_for_another_is_the_only_cause():
    """As OPENBLAS_CORETYPE=Haswell does on a processor of another kind."""
    common = {"cpu": "Xeon", "flags": ["avx512f"]}
    one = manifest("a", os={"environment": {}}, hardware={**common, "blas_kernel": "SkylakeX"})
    two = manifest(
        "b",
        os={"environment": {"OPENBLAS_CORETYPE": "Haswell"}},
        hardware={**common, "blas_kernel": "Haswell"},
    )
    found = difference(one, two)
    (cause,) = found.causes
    assert (cause.layer, cause.words) == (LayerName.HARDWARE, "BLAS kernel")
    assert summary(found).startswith("Last digits may differ. Hardware: BLAS kernel (")


def test_what_matters_most_comes_first():
    one = manifest(
        "a", hardware={"blas_kernel": "A"}, model={"seed": 1}, framework={"packages": {"numpy": package("1")}}
    )
    two = manifest("b", hardware={"blas_kernel": "B"}, model={"seed": 2}, framework={"packages": {}})
    found = difference(one, two)
    assert [one.effect for one in found.differences] == [Effect.FAILS, Effect.RESULTS, Effect.DIGITS]
    assert found.effect is Effect.FAILS
    text = draw_manifest_diff(found)["text/plain"]
    assert text.index("Framework") < text.index("Model") < text.index("Hardware")


def test_what_is_hidden_or_not_recorded_is_not_compared_and_said():
    one = manifest("a", hardware={"cpu": "x", "memory": 1})
    two = manifest("b", hidden={"hardware": {"cpu": "nodes may not be read"}}, hardware={})
    found = difference(one, two)
    assert found.differences == ()
    text = draw_manifest_diff(found)["text/plain"]
    assert "Hardware: CPU: hidden (nodes may not be read) for b" in text
    assert "Hardware: memory: not recorded for b" in text


def test_randomness_without_a_seed_in_both_is_noted():
    one = manifest("a", model={"unseeded": ["train: uuid.uuid4()"]})
    assert difference(one, one).notes == (
        "both draw random numbers that no seed reaches: two runs differ even where nothing else does",
    )


def test_facts_of_a_newer_kfnb_and_damaged_ones_break_nothing():
    one = manifest("a", os={"new": 1, "environment": "damaged"}, framework={"packages": None})
    two = manifest("b", os={"new": 2, "environment": {"TZ": "UTC"}}, framework={"packages": {"numpy": 3}})
    found = difference(one, two)
    assert {one.fact for one in found.differences} == {"environment", "packages"}
    draw_manifest_diff(found)
    diff_data(found)


def test_json_has_each_layer():
    one, two = manifest("a", model={"seed": 1}), manifest("b", model={"seed": 2})
    data = diff_data(difference(one, two))
    assert [layer["layer"] for layer in data["layers"]] == [str(name) for name in LayerName]
    assert data["effect"] == "results may differ"
    assert data["layers"][0]["differences"] == [
        {
            "fact": "seed",
            "item": "",
            "before": 1,
            "after": 2,
            "effect": "results may differ",
            "reason": "other random numbers are drawn",
        }
    ]


def test_what_two_runs_lacked_they_did_not_need():
    one = manifest("a", framework={"packages": {"numpy": package("2"), "scipy": package("1")}})
    two = manifest("b", framework={"packages": {"numpy": package("3")}})
    found = difference(one, two)
    assert found.effect is Effect.FAILS
    ran = found.of_what_ran()
    assert [(one.item, one.effect) for one in ran.differences] == [
        ("numpy", Effect.RESULTS),
        ("scipy", Effect.SAME),
    ]
    assert (
        "Differs, and changes no number (1): Framework: packages: scipy"
        in draw_manifest_diff(ran)["text/plain"]
    )


def test_each_task_is_compared_with_the_task_of_its_name():
    def run(ref, kernels):
        environments = tuple(
            StepEnvironment(task, (task,), (Layer(LayerName.HARDWARE, {"blas_kernel": kernel}),))
            for task, kernel in kernels.items()
        )
        return Manifest(ref, "run", layers=environments[0].layers, environments=environments)

    one, two = run("a", {"load": None, "train": "X"}), run("b", {"train": "X", "load": None})
    assert difference(one, two).differences == ()
    (found,) = difference(one, run("b", {"load": None, "train": "Y"})).differences
    assert (found.before, found.after) == ("X", "Y")


def test_another_version_of_a_data_set_is_one_change():
    found = only("model", "data", {"rows@1": "1"}, {"rows@2": "2"})
    assert (found.item, found.effect) == ("rows", Effect.RESULTS)
    assert only("model", "data", {"rows@1": "1"}, {"rows@2": "1"}).effect is Effect.SAME
