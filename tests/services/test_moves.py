"""From what is wanted of a service to what is wanted next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.errors import UsageError
from kfnb.resources.services.model import DesiredState, Target
from kfnb.resources.services.moves import MOST_EARLIER, Mover, other_models

ALICE = Mover("alice", "a reason")


def target(version: int, **more: object) -> Target:
    return replace(Target(0, "churn", version, f"digest-{version}"), **more)  # type: ignore[arg-type]


def first(version: int = 1) -> DesiredState:
    return ALICE.first([target(version)])


def roles(wanted: DesiredState) -> dict[str, tuple[str, int]]:
    return {one.role: (one.ref, one.percent) for one in wanted.targets}


def test_a_new_service_wants_its_default() -> None:
    wanted = first()
    assert (wanted.generation, wanted.shares, wanted.default.revision) == (1, {"churn@1": 100}, 1)
    assert (wanted.move.by, wanted.move.because, wanted.move.action) == ("alice", "a reason", "serve")


def test_a_canary_takes_its_share_from_the_default() -> None:
    wanted = ALICE.canary(first(), target(2), 5)
    assert roles(wanted) == {"default": ("churn@1", 95), "canary": ("churn@2", 5)}
    assert wanted.move.before == {"churn@1": 100}
    assert wanted.move.after == {"churn@1": 95, "churn@2": 5}


def test_another_share_keeps_the_revision_and_another_version_does_not() -> None:
    wanted = ALICE.canary(first(), target(2), 5)
    more = ALICE.canary(wanted, target(2), 50)
    assert roles(more)["canary"] == ("churn@2", 50)
    assert more.of("canary").revision == wanted.of("canary").revision  # type: ignore[union-attr]
    other = ALICE.canary(more, target(3), 50)
    assert roles(other) == {"default": ("churn@1", 50), "canary": ("churn@3", 50)}
    assert [one.revision for one in other.targets] == [1, 3]


@pytest.mark.parametrize("percent", [0, 100, 250, -1, 1.5, True, "5"])
def test_a_share_is_a_whole_number_of_percent_from_1_to_99(percent: object) -> None:
    with pytest.raises(UsageError, match="from 1 to 99"):
        ALICE.canary(first(), target(2), percent)  # type: ignore[arg-type]


def test_the_default_is_no_canary_and_no_shadow() -> None:
    with pytest.raises(UsageError, match="the default already"):
        ALICE.canary(first(), target(1), 5)
    with pytest.raises(UsageError, match="answers requests already"):
        ALICE.shadow(first(), target(1))


def test_a_canary_of_another_model_is_told_of() -> None:
    other = replace(target(7), model="odd")
    assert other_models(ALICE.canary(first(), other, 5)) == (
        "the canary odd@7 is not a version of churn, the default's model",
    )
    assert other_models(ALICE.canary(first(), target(7), 5)) == ()


def test_what_changes_nothing_is_no_change() -> None:
    wanted = ALICE.shadow(ALICE.canary(first(), target(2), 5), target(3))
    bob = Mover("bob")
    assert bob.serve(wanted, target(1)) is wanted
    assert bob.canary(wanted, target(2), 5) is wanted
    assert bob.shadow(wanted, target(3)) is wanted
    assert bob.settings(wanted, sticky="") is wanted


def test_a_promotion_keeps_the_canary_s_revision_and_remembers_the_default() -> None:
    wanted = ALICE.canary(first(), target(2), 5)
    promoted = ALICE.promote(wanted)
    assert roles(promoted) == {"default": ("churn@2", 100)}
    assert promoted.default.revision == 2
    assert [one.ref for one in promoted.earlier] == ["churn@1"]
    with pytest.raises(UsageError, match="no canary to promote"):
        ALICE.promote(promoted)


def test_a_rollback_ends_the_canary_first_and_then_goes_back_default_by_default() -> None:
    wanted = ALICE.serve(ALICE.serve(first(1), target(2)), target(3))
    wanted = ALICE.canary(wanted, target(4), 5)
    seen = []
    for _ in range(3):
        wanted = ALICE.rollback(wanted)
        seen.append(roles(wanted))
    assert seen == [{"default": (f"churn@{version}", 100)} for version in (3, 2, 1)]
    assert wanted.default.revision == 6, "a version that comes again is a new revision"
    assert wanted.default.unchecked, "it has answered before"
    with pytest.raises(UsageError, match="churn@1 is the first version"):
        ALICE.rollback(wanted)


def test_serving_the_canary_promotes_it_and_serving_another_version_ends_it() -> None:
    wanted = ALICE.canary(first(), target(2), 5)
    assert roles(ALICE.serve(wanted, target(2))) == {"default": ("churn@2", 100)}
    assert ALICE.serve(wanted, target(2)).default.revision == 2
    assert roles(ALICE.serve(wanted, target(3))) == {"default": ("churn@3", 100)}


def test_a_shadow_stays_through_all_of_it_and_may_become_the_canary() -> None:
    wanted = ALICE.shadow(first(), target(9))
    for after in ALICE.canary(wanted, target(2), 5), ALICE.serve(wanted, target(2)):
        assert roles(after)["shadow"] == ("churn@9", 0)
    canary = ALICE.canary(wanted, target(9), 5)
    assert roles(canary) == {"default": ("churn@1", 95), "canary": ("churn@9", 5)}
    assert canary.of("canary").revision == 2, "its process goes on"  # type: ignore[union-attr]


def test_another_way_with_bad_input_is_another_revision() -> None:
    wanted = ALICE.serve(first(), target(1, on_bad_input="impute"))
    assert wanted.default.revision == 2
    assert ALICE.rollback(wanted).default.on_bad_input == "reject"


def test_what_has_failed_is_tried_again_as_a_new_revision() -> None:
    wanted = ALICE.canary(first(), target(2), 5)
    again = Mover("bob", failed=frozenset({2})).canary(wanted, target(2), 5)
    assert [one.revision for one in again.targets] == [1, 3]
    once_more = Mover("bob", failed=frozenset({1})).serve(first(), target(1))
    assert (once_more.default.revision, once_more.earlier) == (2, ())


MOVES = st.sampled_from(["serve", "canary", "shadow", "promote", "rollback", "settings"])


def done(now: DesiredState, action: str, version: int, percent: int) -> DesiredState:
    """What is wanted after an action; the same where it is refused."""
    calls = {
        "serve": lambda: ALICE.serve(now, target(version)),
        "canary": lambda: ALICE.canary(now, target(version), percent),
        "shadow": lambda: ALICE.shadow(now, target(version)),
        "promote": lambda: ALICE.promote(now),
        "rollback": lambda: ALICE.rollback(now),
        "settings": lambda: ALICE.settings(now, sticky=f"header-{percent}"),
    }
    try:
        return calls[action]()
    except UsageError:
        return now


@given(st.lists(st.tuples(MOVES, st.integers(1, 6), st.integers(1, 99)), max_size=40))
def test_whatever_is_done_the_shares_add_up_and_nothing_is_lost(steps: list[tuple[str, int, int]]) -> None:
    wanted = first()
    for action, version, percent in steps:
        before, wanted = wanted, done(wanted, action, version, percent)
        assert sum(one.percent for one in wanted.targets) == 100
        assert [one.role for one in wanted.targets].count("default") == 1
        numbers = [one.revision for one in wanted.targets]
        assert len(set(numbers)) == len(numbers)
        assert max(numbers) <= wanted.last_revision
        assert len({one.digest for one in wanted.targets}) == len(wanted.targets)
        assert len(wanted.earlier) <= MOST_EARLIER
        assert wanted.generation == before.generation + (wanted is not before)
        if wanted is not before:
            assert wanted.move.generation == wanted.generation
            assert (wanted.move.before, wanted.move.after) == (before.shares, wanted.shares)
