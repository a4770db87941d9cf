"""What ``kubectl drain`` does with each pod, by its documentation and in laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.components.drain.decision import (
    DAEMON_SET_FATAL,
    DAEMON_SET_MISSING,
    DAEMON_SET_WARNING,
    LOCAL_STORAGE_FATAL,
    UNMANAGED_FATAL,
    UNMANAGED_WARNING,
    USUAL,
    Controller,
    Fate,
    ListedPod,
    Options,
    Then,
    Verdict,
    after_deletion,
    after_eviction,
    is_gone,
    removes,
    verdict,
)
from kubelemma.model.components.eviction.decision import Answer

PLAIN = ListedPod(Controller.OTHER)
LONE = ListedPod(Controller.NONE)
DAEMON = ListedPod(Controller.DAEMON_SET)
ORPHAN = ListedPod(Controller.MISSING_DAEMON_SET)
WITH_DATA = ListedPod(Controller.OTHER, empty_dir=True)
MIRROR = ListedPod(Controller.OTHER, mirror=True)
NOTHING = Options()
FORCE = Options(force=True)
SKIP = Options(skip_wait_for_delete_timeout=60)

pods = st.builds(
    ListedPod,
    st.sampled_from(Controller),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | st.integers(-30, 300),
)
options = st.builds(
    Options,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.just(0),
    st.sampled_from((0, 60)),
)


@pytest.mark.parametrize(
    ("pod", "given_options", "wanted"),
    [
        (PLAIN, NOTHING, Verdict(Fate.REMOVED)),
        (LONE, NOTHING, Verdict(Fate.REFUSED, UNMANAGED_FATAL)),
        (LONE, USUAL, Verdict(Fate.REFUSED, UNMANAGED_FATAL)),
        (LONE, FORCE, Verdict(Fate.REMOVED, UNMANAGED_WARNING)),
        (LONE._replace(over=True), NOTHING, Verdict(Fate.REMOVED)),
        (DAEMON, NOTHING, Verdict(Fate.REFUSED, DAEMON_SET_FATAL)),
        (DAEMON, FORCE, Verdict(Fate.REFUSED, DAEMON_SET_FATAL)),
        (DAEMON, USUAL, Verdict(Fate.LEFT, DAEMON_SET_WARNING)),
        (DAEMON._replace(over=True), NOTHING, Verdict(Fate.REMOVED)),
        (ORPHAN, USUAL, Verdict(Fate.REFUSED, DAEMON_SET_MISSING)),
        (ORPHAN, FORCE, Verdict(Fate.REMOVED)),
        (WITH_DATA, NOTHING, Verdict(Fate.REFUSED, LOCAL_STORAGE_FATAL)),
        (WITH_DATA, USUAL, Verdict(Fate.REMOVED)),
        (WITH_DATA._replace(over=True), NOTHING, Verdict(Fate.REMOVED)),
        (DAEMON._replace(empty_dir=True), USUAL, Verdict(Fate.LEFT, DAEMON_SET_WARNING)),
        (MIRROR, NOTHING, Verdict(Fate.LEFT)),
        (MIRROR._replace(over=True, empty_dir=True), NOTHING, Verdict(Fate.LEFT)),
        (LONE._replace(overdue=61), SKIP, Verdict(Fate.LEFT)),
        (PLAIN._replace(overdue=60), SKIP, Verdict(Fate.REMOVED)),
        (PLAIN._replace(overdue=600), NOTHING, Verdict(Fate.REMOVED)),
    ],
)
def test_verdicts(pod: ListedPod, given_options: Options, wanted: Verdict) -> None:
    """Each pod goes, stays, or keeps the drain from beginning, in kubectl's words."""
    assert verdict(pod, given_options) == wanted


@given(pods, options)
def test_options_that_allow_more_never_refuse_more(pod: ListedPod, more: Options) -> None:
    """No pod that goes or is left without options is refused because of one."""
    if verdict(pod, more).fate is Fate.REFUSED:
        assert verdict(pod, NOTHING).fate is Fate.REFUSED


@given(pods)
def test_with_every_option_nothing_is_refused(pod: ListedPod) -> None:
    """``--force --ignore-daemonsets --delete-emptydir-data`` begins in any case."""
    every = Options(force=True, ignore_daemonsets=True, delete_emptydir_data=True)
    assert verdict(pod, every).fate is not Fate.REFUSED


@given(pods, options)
def test_how_pods_are_removed_does_not_matter(pod: ListedPod, some: Options) -> None:
    """Eviction or deletion, with or without a timeout: the list is the same."""
    other = some._replace(disable_eviction=not some.disable_eviction, timeout=30)
    assert verdict(pod, some) == verdict(pod, other)


@given(st.lists(pods, max_size=4), options)
def test_one_refusal_stops_all(some: list[ListedPod], given_options: Options) -> None:
    """If one pod may not be removed, no other is."""
    verdicts = [verdict(pod, given_options) for pod in some]
    assert removes(verdicts) == (Fate.REFUSED not in {found.fate for found in verdicts})


@pytest.mark.parametrize(
    ("answer", "then"),
    [
        (Answer.EVICTED, Then.WAIT),
        (Answer.POD_NOT_FOUND, Then.DONE),
        (Answer.BUDGET_NOT_FOUND, Then.DONE),
        (Answer.EXHAUSTED, Then.RETRY),
        (Answer.NOT_PROCESSED, Then.RETRY),
        (Answer.CONFLICT, Then.FAIL),
        (Answer.NEGATIVE, Then.FAIL),
        (Answer.TOO_MANY_DISRUPTED, Then.FAIL),
        (Answer.SEVERAL_BUDGETS, Then.FAIL),
    ],
)
def test_answers_to_evictions(answer: Answer, then: Then) -> None:
    """A budget that allows nothing is asked again, and whatever else is wrong is an error."""
    assert after_eviction(answer.code) is then


@pytest.mark.parametrize(("terminating", "then"), [(True, Then.WAIT), (False, Then.RETRY)])
def test_a_namespace_that_goes(*, terminating: bool, then: Then) -> None:
    """Nothing can be evicted there: its pods are deleted anyway, and waited for."""
    found = after_eviction(403, namespace_terminating=True, terminating=terminating)
    assert found is then


@pytest.mark.parametrize(
    ("code", "then"),
    [(200, Then.WAIT), (404, Then.WAIT), (409, Then.ABORT), (429, Then.ABORT), (500, Then.ABORT)],
)
def test_answers_to_deletions(code: int, then: Then) -> None:
    """Without evictions nothing is tried again, and the first error ends the drain."""
    assert after_deletion(code) is then


@pytest.mark.parametrize(
    ("found", "same", "overdue", "gone"),
    [
        (False, False, None, True),
        (True, False, None, True),
        (True, True, None, False),
        (True, True, 60, False),
        (True, True, 61, True),
    ],
)
def test_waiting(overdue: int | None, *, found: bool, same: bool, gone: bool) -> None:
    """A pod of the same name is another pod, and one that should be long gone is not waited for."""
    assert is_gone(found=found, same=same, overdue=overdue, options=SKIP) == gone
