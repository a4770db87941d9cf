"""Laws of the Deployment controller's decisions, and behaviour that surprises."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from kubelemma.model.components.deployment.decision import (
    CreateNew,
    DeploymentView,
    ReplicaSetView,
    RollingUpdate,
    Sets,
    Status,
    Step,
    Sync,
    Write,
    applied,
    calculate_status,
    cleanup_history,
    deployment_complete,
    is_scaling_event,
    max_surge,
    max_unavailable,
    old_pods_running,
    reconcile_new,
    reconcile_old,
    recreate_step,
    resolve_fenceposts,
    rolling_step,
    scale,
    sync,
)
from kubelemma.model.objects.quantity import IntOrPercent

SIZES = st.integers(0, 12)
BOUNDS = st.one_of(
    st.integers(0, 6).map(IntOrPercent),
    st.integers(0, 120).map(lambda n: IntOrPercent(n, percent=True)),
)


def rolling(
    replicas: int, surge: int = 1, unavailable: int = 0, *, paused: bool = False
) -> DeploymentView:
    """A Deployment with a rolling update in absolute numbers."""
    bounds = RollingUpdate(IntOrPercent(surge), IntOrPercent(unavailable))
    return DeploymentView(replicas, bounds, paused=paused)


@st.composite
def deployments(draw: st.DrawFn) -> DeploymentView:
    """Any Deployment with a rolling update."""
    return DeploymentView(draw(SIZES), RollingUpdate(draw(BOUNDS), draw(BOUNDS)))


@st.composite
def replica_sets(draw: st.DrawFn, *, fresh: bool = False, least: int = 0) -> Sets:
    """Some ReplicaSets; fresh: no status reports more pods than the spec asks for."""
    sets = []
    for age in range(draw(st.integers(least, 4))):
        replicas = draw(SIZES)
        available = draw(st.integers(0, replicas if fresh else 12))
        annotation = draw(st.none() | SIZES)
        most = draw(st.none() | st.integers(0, 15))
        sets.append(ReplicaSetView(replicas, available, available, annotation, most, created=age))
    return tuple(sets)


def total(sets: Sets) -> int:
    """Pods asked for by all."""
    return sum(s.replicas for s in sets)


def available(sets: Sets) -> int:
    """Pods that stay available once the ReplicaSet controller has caught up."""
    return sum(min(s.available, s.replicas) for s in sets)


def all_available(sets: Sets) -> Sets:
    """The sets after every pod came up and every status was written."""
    return tuple(s._replace(status_replicas=s.replicas, available=s.replicas) for s in sets)


# Bounds


@given(BOUNDS, BOUNDS, SIZES)
def test_fenceposts_never_both_zero(surge: IntOrPercent, most: IntOrPercent, n: int) -> None:
    """A rollout may always surge or take a pod down."""
    assert resolve_fenceposts(surge, most, n) != (0, 0)


@given(deployments())
def test_bounds_leave_room(deployment: DeploymentView) -> None:
    """At most all pods may be unavailable."""
    assert 0 <= max_unavailable(deployment) <= deployment.replicas


def test_recreate_has_no_bounds() -> None:
    """Recreate neither surges nor keeps anything available."""
    recreate = DeploymentView(5, None)
    assert (max_surge(recreate), max_unavailable(recreate)) == (0, 0)


# Rolling update


@given(deployments(), replica_sets(least=1))
def test_rolling_step_keeps_the_surge(deployment: DeploymentView, sets: Sets) -> None:
    """After no PUT does a sync ask for more pods than the surge allows, or were asked for."""
    step = rolling_step(deployment, sets, 0)
    most = max(total(sets), deployment.replicas + max_surge(deployment))
    for i in range(len(step.puts) + 1):
        assert total(applied(sets, step.puts[:i])) <= most


@given(deployments(), replica_sets(fresh=True, least=1))
def test_rolling_step_keeps_the_minimum_available(deployment: DeploymentView, sets: Sets) -> None:
    """With fresh statuses a sync takes no available pod below the minimum."""
    after = applied(sets, rolling_step(deployment, sets, 0).puts)
    least = deployment.replicas - max_unavailable(deployment)
    assert available(after) >= min(available(sets), least)


@given(deployments(), replica_sets())
def test_creation_uses_up_the_surge(deployment: DeploymentView, sets: Sets) -> None:
    """A ReplicaSet is created with all it may have, so the same sync need not scale it."""
    create = rolling_step(deployment, sets, None).create
    assert create is not None
    created = ReplicaSetView(create.replicas, desired=create.desired)
    assert total(sets) + create.replicas <= max(
        total(sets), deployment.replicas + max_surge(deployment)
    )
    assert reconcile_new(deployment, (*sets, created), len(sets)) == ()


@given(deployment=deployments(), sets=replica_sets(), recreate=st.booleans())
def test_rollout_completes(*, deployment: DeploymentView, sets: Sets, recreate: bool) -> None:
    """If all pods come up after each sync, the new ReplicaSet ends with all of them."""
    if recreate:
        deployment = deployment._replace(rolling_update=None)
    sets = tuple(s._replace(desired=deployment.replicas) for s in all_available(sets))
    new = None
    for _ in range(4 * (deployment.replicas + total(sets)) + 4):
        verdict = sync(deployment, sets, new)
        if verdict.create is not None:
            new = len(sets)
            sets = (*sets, ReplicaSetView(verdict.create.replicas, desired=deployment.replicas))
        elif not verdict.puts:
            break
        sets = all_available(applied(sets, verdict.puts))
    assert new is not None
    assert [s.replicas for s in sets] == [0] * new + [deployment.replicas]


def test_creation_and_scale_down_share_a_sync() -> None:
    """The first sync of a rollout creates the new ReplicaSet and takes what may be unavailable."""
    quarter = IntOrPercent(25, percent=True)
    deployment = DeploymentView(10, RollingUpdate(quarter, quarter))
    old = ReplicaSetView(10, 10, 10, desired=10, max_replicas=13)
    assert sync(deployment, (old,), None) == Sync(CreateNew(3, 10, 13), (Write(0, 8, 10, 13),))


def test_unhealthy_pods_go_in_a_put_of_their_own() -> None:
    """One old ReplicaSet is written twice: for its unhealthy pods, and for its available ones."""
    deployment = rolling(10, surge=0, unavailable=2)
    sets = (ReplicaSetView(10, available=9), ReplicaSetView(0, created=1))
    step = reconcile_old(deployment, sets, 1)
    assert [put.replicas for put in step.puts] == [9, 8]


def test_stale_status_stops_the_scale_down() -> None:
    """An old ReplicaSet that reports more available pods than it wants ends it midway, unseen."""
    deployment = rolling(4, surge=2, unavailable=1)
    sets = (
        ReplicaSetView(3, available=1, created=0),
        ReplicaSetView(2, available=3, created=1),
        ReplicaSetView(2, available=2, created=2),
    )
    assert reconcile_old(deployment, sets, 2) == Step(puts=(Write(0, 1, 4, 6),), ended=False)


# Recreate


@given(sets=replica_sets(least=1), replicas=SIZES, running=st.booleans())
def test_recreate_waits_for_old_pods(*, sets: Sets, replicas: int, running: bool) -> None:
    """Nothing is created or grown while an old ReplicaSet wants pods or old pods run."""
    deployment = DeploymentView(replicas, None)
    for new in (None, 0):
        step = recreate_step(deployment, sets, new, old_running=running)
        old = [s for i, s in enumerate(sets) if i != new]
        if running or total(tuple(old)):
            assert step.create is None
            assert all(put.replicas == 0 and put.index != new for put in step.puts)


def test_recreate_creates_in_full() -> None:
    """Once the old pods are gone the new ReplicaSet is created with all replicas."""
    step = recreate_step(DeploymentView(3, None), (ReplicaSetView(0),), None, old_running=False)
    assert step == Step(create=CreateNew(3, 3, 3))


def test_pods_of_any_live_phase_are_waited_for() -> None:
    """Even a pod without a phase counts as running, a finished one does not."""
    assert old_pods_running((ReplicaSetView(0),), None, ["Failed", ""])
    assert not old_pods_running((ReplicaSetView(0),), None, ["Failed", "Succeeded"])
    assert not old_pods_running((ReplicaSetView(2, status_replicas=2),), 0, [])


# Scaling


@given(deployments(), replica_sets(), st.sampled_from([0, None]))
def test_scale_shares_out_what_is_allowed(
    deployment: DeploymentView, sets: Sets, new: int | None
) -> None:
    """Proportional scaling ends with all the pods allowed, unless a size would be negative."""
    assume(sum(s.replicas > 0 for s in sets) > 1)
    saturated = new == 0 and {sets[0].replicas, sets[0].desired, sets[0].available} == {
        deployment.replicas
    }
    after = applied(sets, scale(deployment, sets, new))
    assert all(s.replicas >= 0 for s in after)
    if saturated:
        assert total(after) == sets[0].replicas
    else:
        allowed = deployment.replicas + max_surge(deployment) if deployment.replicas else 0
        assert total(after) == allowed or min(s.replicas for s in after) == 0
        assert not is_scaling_event(deployment, after)


@given(deployments(), replica_sets(least=2), st.sampled_from([0, None]))
def test_scaling_settles(deployment: DeploymentView, sets: Sets, new: int | None) -> None:
    """Sets that all keep some pods, and together have what is allowed, are not scaled again."""
    assume(deployment.replicas > 0)
    sets = tuple(s._replace(max_replicas=max(1, total(sets)), available=0) for s in sets)
    after = applied(sets, scale(deployment, sets, new))
    assume(sum(s.replicas > 0 for s in after) > 1)
    assume(total(after) == deployment.replicas + max_surge(deployment))
    assert scale(deployment, after, new) == ()


@given(deployment=deployments(), sets=replica_sets(), paused=st.booleans())
def test_paused_or_resized_creates_nothing(
    *, deployment: DeploymentView, sets: Sets, paused: bool
) -> None:
    """While paused, or after a change of size, a new template gets no ReplicaSet."""
    deployment = deployment._replace(paused=paused)
    assume(paused or is_scaling_event(deployment, sets))
    verdict = sync(deployment, sets, None)
    assert verdict == Sync(puts=scale(deployment, sets, None))


def test_equal_sizes_break_ties_by_age() -> None:
    """Growing favours the newer of two equals, shrinking takes from the older."""
    sets = tuple(ReplicaSetView(2, 2, 2, 4, 4, created=age) for age in (0, 1))
    grown = applied(sets, scale(rolling(5, surge=0), sets, None))
    shrunk = applied(sets, scale(rolling(3, surge=0), sets, None))
    assert [s.replicas for s in grown] == [2, 3]
    assert [s.replicas for s in shrunk] == [1, 2]


def test_a_tampered_size_blocks_every_rollout() -> None:
    """A lone ReplicaSet set by hand to the size wanted keeps its stale annotation for ever.

    Every sync then takes it for a scaling event, writes nothing, and never starts a rollout.
    """
    deployment = rolling(12)
    old = ReplicaSetView(12, 12, 12, desired=10, max_replicas=11)
    assert is_scaling_event(deployment, (old,))
    assert sync(deployment, (old,), None) == Sync()


def test_without_pods_the_latest_is_scaled() -> None:
    """Of empty ReplicaSets the new one gets the pods, or the latest where there is no new one."""
    sets = tuple(ReplicaSetView(0, created=age) for age in range(3))
    deployment = rolling(2, paused=True)
    assert [put.index for put in sync(deployment, sets, 0).puts] == [0]
    assert [put.index for put in sync(deployment, sets, None).puts] == [2]


# History


@given(replica_sets(), st.integers(0, 4))
def test_history_keeps_what_has_pods(sets: Sets, limit: int) -> None:
    """Only empty old ReplicaSets go, never more than exceed the limit."""
    gone = cleanup_history(limit, sets, 0)
    assert 0 not in gone
    assert len(gone) <= max(0, len(sets) - 1 - limit)
    assert all(sets[i].replicas == sets[i].status_replicas == 0 for i in gone)


def test_history_looks_at_the_oldest_revisions_only() -> None:
    """An old revision with pods uses up its place among those to go."""
    sets = tuple(ReplicaSetView(size, revision=r) for r, size in enumerate((1, 0, 0, 0)))
    assert cleanup_history(1, sets, 3) == (1,)
    assert cleanup_history(None, sets, 3) == ()
    unsure = tuple(s._replace(observed=False) for s in sets)
    assert cleanup_history(0, unsure, 3) == ()


def test_history_goes_by_revision_not_by_age() -> None:
    """A ReplicaSet that was rolled back to is young in revision, however old it is."""
    sets = tuple(ReplicaSetView(0, created=age, revision=r) for age, r in enumerate((3, 1, 2)))
    assert cleanup_history(1, sets, None) == (1, 2)


def test_history_does_not_count_what_is_going() -> None:
    """A ReplicaSet that is being deleted takes no place in the history, and goes only once."""
    sets = (ReplicaSetView(0, deleting=True), ReplicaSetView(0, created=1))
    assert cleanup_history(1, sets, None) == ()
    assert cleanup_history(0, sets, None) == (1,)


def test_history_is_cleaned_when_complete_or_paused() -> None:
    """A sync deletes old revisions of a complete rollout, or of a paused Deployment."""
    sets = (ReplicaSetView(0), ReplicaSetView(2, 2, 2, 2, 3, created=1))
    deployment = rolling(2)._replace(revision_history_limit=0)
    assert sync(deployment, sets, 1) == Sync()
    assert sync(deployment._replace(complete=True), sets, 1) == Sync(deletes=(0,))
    assert sync(deployment._replace(paused=True), sets, 1) == Sync(deletes=(0,))


def test_history_stays_while_anything_is_scaled() -> None:
    """A sync that scales leaves the history alone, whatever the stored status says."""
    sets = (ReplicaSetView(0), ReplicaSetView(1, 1, 1, 2, 3, created=1))
    deployment = rolling(2)._replace(revision_history_limit=0, complete=True)
    assert sync(deployment, sets, 1) == Sync(puts=(Write(1, 2, 2, 3),))
    resized = deployment._replace(replicas=5)
    assert sync(resized, sets, 1) == Sync(puts=(Write(1, 5, 5, 6),))


# Status


@given(replica_sets(least=1))
def test_status_adds_up(sets: Sets) -> None:
    """The status sums the statuses; the new ReplicaSet alone counts as updated."""
    status = calculate_status(sets, 0)
    assert status.replicas == sum(s.status_replicas for s in sets)
    assert status.updated == sets[0].status_replicas
    assert status.available == sum(s.available for s in sets)
    assert calculate_status(sets, None).updated == 0


def test_unobserved_status_is_not_complete() -> None:
    """Numbers that belong to an older spec complete nothing."""
    done = Status(3, 3, 3)
    assert deployment_complete(3, done)
    assert not deployment_complete(3, done._replace(observed=False))
