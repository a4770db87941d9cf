"""Loaded controllers: what interleavings, restarts and lagging caches bring to light."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kubelemma import api
from kubelemma.solver.limits import ALL_VIOLATED
from kubelemma.solver.result import CheckResult, Trace, Verdict

Check = Callable[..., CheckResult]
Ask = Callable[..., api.Case]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BUGGY = EXAMPLES / "own-controller" / "shop_operator.py"
REPAIRED = EXAMPLES / "own-controller-repaired" / "shop_operator.py"
PROMISES = EXAMPLES / "own-controller" / "promises.py"
SHOP = "{apiVersion: example.com/v1, kind: Shop, metadata: {name: corner}, spec: {size: small}}"
BUCKETS = "{apiVersion: example.com/v1, kind: Bucket, metadata: {name: a, labels: {x: y}}}"
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "c:1"}]}
"""


def verdicts(result: CheckResult) -> dict[str, str]:
    """The verdicts by property; no limit has ended the search."""
    assert result.statistics.stopped_by in (None, ALL_VIOLATED)
    assert result.statistics.cut_states == 0
    return {p.property.id: "vacuous" if p.vacuous else p.verdict for p in result.properties}


def trace_of(result: CheckResult, identifier: str) -> Trace:
    """The trace of a violation."""
    (trace,) = (p.trace for p in result.properties if p.property.id == identifier)
    assert trace is not None
    return trace


def actions(trace: Trace) -> list[str]:
    """The actions of a trace."""
    return [step.outcome.action for step in trace.steps]


@pytest.mark.parametrize(
    ("operator", "faults", "one_bucket", "states"),
    [
        (BUGGY, "controllerRestarts: 0", Verdict.HOLDS, 4),
        (BUGGY, "controllerRestarts: 1", Verdict.VIOLATED, 12),
        (BUGGY, "", Verdict.VIOLATED, 12),
        (BUGGY, "controllerRestarts: 0, staleReads: 1", Verdict.VIOLATED, None),
        (REPAIRED, "controllerRestarts: 0", Verdict.HOLDS, 4),
        (REPAIRED, "controllerRestarts: 3, staleReads: 2", Verdict.HOLDS, None),
    ],
)
def test_example(  # noqa: PLR0917 - the columns of the table, and two fixtures
    run: Check, question: Ask, operator: Path, faults: str, one_bucket: Verdict, states: int | None
) -> None:
    """A second bucket needs a restart between two writes, or a cache that lags; or no bug."""
    case = question(faults, operator, PROMISES)
    result = run(case.scenario.system, case.properties)
    assert verdicts(result) == {"SHOP-1": one_bucket, "SHOP-2": Verdict.HOLDS}
    assert states in (None, result.statistics.states)


def test_shortest_story(run: Check, question: Ask) -> None:
    """The counterexample is as short as it can be: read, create, restart, read, create."""
    case = question("", BUGGY, PROMISES)
    result = run(case.scenario.system, case.properties)
    assert actions(trace_of(result, "SHOP-1")) == ["sync", "create", "restart", "sync", "create"]


def test_engines_agree(question: Ask) -> None:
    """Both engines find the same states and steps of a controller whose caches lag."""
    case = question("staleReads: 2, controllerRestarts: 2", REPAIRED, PROMISES)
    found = [api.explore(case, engine=e).result.statistics for e in ("plain", "compiled")]
    counts = {
        (s.states, s.concrete_states, s.transitions, s.depth, s.terminal_states) for s in found
    }
    assert len(counts) == 1


LOOKS_FIRST = """
@controller(reconciles="Shop", reads=["Bucket"])
def shop_operator(shop, cluster):
    if not cluster.owned_by(shop, "Bucket"):
        return create("Bucket", generate_name="b-", owner=shop)
    return patch_status(shop, {"bucket": cluster.owned_by(shop, "Bucket")[0].name})
"""


@pytest.mark.parametrize(
    ("faults", "verdict"),
    [
        ("controllerRestarts: 2", Verdict.HOLDS),
        ("staleReads: 1, controllerRestarts: 0", Verdict.VIOLATED),
    ],
)
def test_half_a_repair(run: Check, ask: Ask, faults: str, verdict: Verdict) -> None:
    """To look before creating survives restarts, but not a cache that does not show it yet."""
    case = ask(faults, LOOKS_FIRST, PROMISES)
    result = run(case.scenario.system, case.properties)
    assert verdicts(result)["SHOP-1"] == verdict


def test_catching_errors(run: Check, ask: Ask) -> None:
    """A controller may catch that something exists already, and go on; conflicts end its sync."""
    code = """
    @controller(reconciles="Shop", reads=["Bucket"])
    def shop_operator(shop, cluster):
        try:
            yield create("Bucket", "a")
        except AlreadyExists:
            found = yield get("Bucket", "a")
            yield update_status(shop, {"bucket": found.name})

    @event(about="Shop")
    def relabel(shop, cluster):
        return patch(shop, labels={"x": "y"})

    @converges("SHOP-9", "It ends with the bucket that there is", about="Shop")
    def named(shop, cluster):
        "The status comes to name it."
        return shop.status.get("bucket") == "a"
    """
    case = ask("controllerRestarts: 0", code)
    result = run(case.scenario.system, case.properties)
    assert verdicts(result) == {"SHOP-9": Verdict.HOLDS}
    happened = dict(result.statistics.actions)
    assert {"relabel", "create", "get", "update"} <= happened.keys()


def test_owners(run: Check, ask: Ask) -> None:
    """What a deleted object owned is collected; what nobody owned stays."""
    code = """
    @controller(reconciles="Shop", reads=["Bucket"])
    def shop_operator(shop, cluster):
        if not cluster.owned_by(shop, "Bucket"):
            yield create("Bucket", "own", owner=shop)

    @event(about="Shop")
    def close(shop, cluster):
        "Somebody deletes the shop."
        return delete(shop)

    @leads_to("SHOP-8", "Nothing is left of a closed shop", reads=["Shop", "Bucket"],
              goal=lambda cluster: cluster.get("Bucket", "own") is None)
    def closed(cluster):
        "Once there is no shop, its bucket goes."
        return not cluster.all("Shop")

    @always("SHOP-7", "Other buckets stay", reads=["Bucket"])
    def others(cluster):
        "A bucket of nobody's is never collected."
        return cluster.get("Bucket", "a") is not None
    """
    case = ask("controllerRestarts: 0", code)
    result = run(case.scenario.system, case.properties)
    assert verdicts(result) == {"SHOP-8": Verdict.HOLDS, "SHOP-7": Verdict.HOLDS}
    assert "collect objects whose owners are gone" not in result.statistics.rules_never_fired


def test_finalizers(run: Check, ask: Ask) -> None:
    """With a finalizer, the controller cleans up before its object goes; without, it may not."""
    code = """
    @controller(reconciles="Shop", reads=["Bucket"])
    def shop_operator(shop, cluster):
        mine = cluster.get("Bucket", "mine")
        if shop.deleting:
            if mine:
                yield delete(mine)
            yield patch(shop, finalizers=[])
        elif {guard}:
            yield patch(shop, finalizers=["example.com/bucket"])
        elif not mine:
            yield create("Bucket", "mine")

    @event(about="Shop")
    def close(shop, cluster):
        return delete(shop)

    @converges("SHOP-6", "Nothing is left", reads=["Shop", "Bucket"])
    def clean(cluster):
        "A shop that is deleted goes, and its bucket with it."
        shops, mine = cluster.all("Shop"), cluster.get("Bucket", "mine")
        return not any(shop.deleting for shop in shops) if shops else mine is None
    """
    for guard, verdict in (("not shop.finalizers", Verdict.HOLDS), ("False", Verdict.VIOLATED)):
        case = ask("controllerRestarts: 1", code.replace("{guard}", guard))
        result = run(case.scenario.system, case.properties)
        assert verdicts(result) == {"SHOP-6": verdict}


def test_two_controllers_fight(run: Check, ask: Ask) -> None:
    """Two controllers that undo each other's work never come to rest: a loop of both."""
    code = """
    @controller(reconciles="Shop")
    def opener(shop, cluster):
        return None if shop.status.get("open") else patch_status(shop, {"open": True})

    @controller(reconciles="Shop")
    def closer(shop, cluster):
        return patch_status(shop, {"open": None}) if shop.status.get("open") else None

    @converges("SHOP-3", "Shops open", about="Shop")
    def opened(shop, cluster):
        "In the end shops are open."
        return shop.status.get("open", False)
    """
    case = ask("controllerRestarts: 0", code)
    result = run(case.scenario.system, case.properties)
    trace = trace_of(result, "SHOP-3")
    assert trace.loop_start is not None
    assert {step.actor for step in trace.steps[trace.loop_start :]} == {"opener", "closer"}


def test_conflict(run: Check, ask: Ask) -> None:
    """An update of what somebody has changed since is refused, so that nothing is overwritten."""
    code = """
    @controller(reconciles="Shop")
    def shop_operator(shop, cluster):
        if "done" not in shop.spec:
            yield {verb}(shop, spec={**shop.spec, "done": True})

    @event(about="Shop")
    def grow(shop, cluster):
        return patch(shop, spec={"size": "large"}) if shop.spec["size"] == "small" else None

    @each_step("SHOP-10", "What users say stays", about="Shop")
    def kept(before, after, cluster_before, cluster_after):
        "A large shop stays large."
        return before.spec["size"] == "small" or after.spec["size"] == "large"
    """
    for verb, verdict in (("update", Verdict.HOLDS), ("patch", Verdict.VIOLATED)):
        case = ask("controllerRestarts: 0", code.replace("{verb}", verb))
        assert verdicts(run(case.scenario.system, case.properties)) == {"SHOP-10": verdict}


def test_syncs_that_are_not_due(run: Check, ask: Ask) -> None:
    """A sync that had nothing to change when it read may still write too late."""
    code = """
    @controller(reconciles="Shop")
    def shop_operator(shop, cluster):
        if shop.spec["size"] == "small":
            yield patch_status(shop, {"open": False})

    @event(about="Shop")
    def grow(shop, cluster):
        return patch(shop, spec={"size": "large"})

    @event(about="Shop")
    def open_by_hand(shop, cluster):
        return patch_status(shop, {"open": True}) if shop.spec["size"] == "large" else None

    @each_step("SHOP-11", "Large shops stay open", about="Shop")
    def stays_open(before, after, cluster_before, cluster_after):
        "What was opened by hand is not closed."
        return after.status["open"] or not before.status["open"]
    """
    closed = SHOP.replace("spec:", "status: {open: false}, spec:")
    case = ask("controllerRestarts: 0", code, documents=(closed,))
    trace = trace_of(run(case.scenario.system, case.properties), "SHOP-11")
    assert actions(trace) == ["sync", "grow", "open-by-hand", "patch"]


def test_bound(ask: Ask) -> None:
    """A controller that creates without end is cut at a bound, which is no success."""
    code = """
    @controller(reconciles="Shop", reads=["Bucket"])
    def shop_operator(shop, cluster):
        yield create("Bucket", generate_name="b-")

    @always("SHOP-1", "Some promise", reads=["Bucket"])
    def promise(cluster):
        "Nothing to speak of."
        return True
    """
    case = ask("controllerRestarts: 0", code)
    (found,) = api.explore(case, engine="plain").result.properties
    assert found.verdict is Verdict.INCONCLUSIVE
    assert 'outside the bound "at most 5 Bucket objects"' in found.reason


def test_deployments_stand_apart(tmp_path: Path) -> None:
    """What looks at no Deployment is a system of its own, beside those of the Deployments."""
    path = tmp_path / "in.yaml"
    path.write_text(f"{SHOP}\n---\n{BUCKETS}\n---\n{WEB}", "utf-8")
    asked = api.ask(api.Question(paths=(str(path),), load=(str(BUGGY), str(PROMISES))))
    assert [case.scenario.name for case in asked.cases] == ["shop-operator", "default/web"]
    assert {prop.id for prop in asked.cases[0].properties} == {"SHOP-1", "SHOP-2"}
    assert not asked.cases[1].scenario.custom.controllers


HEALER = """
@controller(reconciles="Shop", reads=["Bucket"])
def shop_operator(shop, cluster):
    mine = cluster.owned_by(shop, "Bucket")
    if shop.status.get("phase") == "Ready":
        return None if mine else create("Bucket", generate_name="new-", owner=shop)
    return patch_status(shop, {"phase": "Ready"}) if mine else create("Bucket", "b", owner=shop)
"""


@pytest.mark.parametrize(
    ("faults", "verdict"),
    [
        ("staleReads: 1, controllerRestarts: 0", Verdict.HOLDS),
        ("staleReads: 1, staleLists: 0", Verdict.HOLDS),
        ("staleReads: 1", Verdict.VIOLATED),
    ],
)
def test_caches_go_back_at_a_restart(run: Check, ask: Ask, faults: str, verdict: Verdict) -> None:
    """What a controller has seen it may not see any more after a restart, if lists lag."""
    case = ask(faults, HEALER, PROMISES)
    result = run(case.scenario.system, case.properties)
    assert verdicts(result)["SHOP-1"] == verdict
    if verdict is Verdict.VIOLATED:
        trace = trace_of(result, "SHOP-1")
        (restart,) = (step for step in trace.steps if step.outcome.action == "restart")
        assert "lists Bucket objects anew, from an API server that lags" in restart.outcome.why


TAKEN = """
@controller(reconciles="Shop", reads=["Bucket"], workers=WORKERS)
def shop_operator(shop, cluster):
    if "bucket" not in shop.status:
        free = [b for b in cluster.all("Bucket") if "shop" not in b.spec]
        if free:
            yield patch(free[0], spec={"shop": shop.name})
            yield patch_status(shop, {"bucket": free[0].name})

@always("SHOP-12", "No bucket is shared", reads=["Shop"])
def own(cluster):
    "No two shops note the same bucket."
    names = [shop.status["bucket"] for shop in cluster.all("Shop") if "bucket" in shop.status]
    return len(names) == len(set(names))
"""


@pytest.mark.parametrize(("workers", "verdict"), [(1, Verdict.HOLDS), (2, Verdict.VIOLATED)])
def test_workers(run: Check, ask: Ask, workers: int, verdict: Verdict) -> None:
    """Two workers may read the same before either writes; one worker never does."""
    shops = (SHOP, SHOP.replace("corner", "market"))
    buckets = (BUCKETS, BUCKETS.replace("name: a", "name: b"))
    code = TAKEN.replace("WORKERS", str(workers))
    case = ask("controllerRestarts: 0", code, documents=(*shops, *buckets))
    assert verdicts(run(case.scenario.system, case.properties)) == {"SHOP-12": verdict}


def test_no_two_workers_at_one_object(ask: Ask) -> None:
    """However many workers there are, an object is in at most one sync."""
    case = ask("controllerRestarts: 1", TAKEN.replace("WORKERS", "3"), PROMISES)
    once = ask("controllerRestarts: 1", TAKEN.replace("WORKERS", "1"), PROMISES)
    counts = [api.explore(each, engine="plain").result.statistics.states for each in (case, once)]
    assert counts[0] == counts[1]


def test_a_worker_is_not_held_up(run: Check, ask: Ask) -> None:
    """One object that is never at rest holds up no sync of another that is under way."""
    code = """
    @controller(reconciles="Shop", workers=2)
    def shop_operator(shop, cluster):
        if shop.name == "corner":
            yield patch_status(shop, {"on": not shop.status.get("on", False)})
        elif "done" not in shop.status:
            yield get("Shop", "corner")
            yield patch_status(shop, {"done": True})

    @leads_to("SHOP-13", "What is begun is done", reads=["Shop"],
              goal=lambda cluster: "done" in cluster.get("Shop", "market").status)
    def begun(cluster):
        "Once somebody has asked for it, it is done."
        return cluster.get("Shop", "market").labels.get("asked") == "yes"

    @event(about="Shop")
    def ask_for(shop, cluster):
        return patch(shop, labels={"asked": "yes"}) if shop.name == "market" else None
    """
    case = ask("controllerRestarts: 0", code, documents=(SHOP, SHOP.replace("corner", "market")))
    result = run(case.scenario.system, case.properties)
    trace = trace_of(result, "SHOP-13")
    assert trace.loop_start is not None
    loop = trace.steps[trace.loop_start :]
    assert {str(dict(step.outcome.arguments)["does"])[-14:] for step in loop} == {"default/corner"}
    held = trace.states()[-1]
    slots = [held[p.start] for name, p in case.scenario.system.positions.items() if "sync" in name]
    assert [sync.key for sync in slots if sync] in ([], [("default", "corner")])


def test_owners_that_are_never_deleted(run: Check, ask: Ask) -> None:
    """What a Deployment or a Node owns is not collected, whether anybody looks at those or not."""
    owned = "{apiVersion: v1, kind: Bucket, metadata: {name: %s, ownerReferences: [%s]}}"
    documents = (owned % ("a", "{kind: Deployment, name: web}"), owned % ("b", "{kind: Node}"))
    code = """
    @always("OWN-1", "Both stay", reads=["Bucket"])
    def both(cluster):
        "Nothing is collected whose owner exists."
        return len(cluster.all("Bucket")) == 2
    """
    case = ask("", code, documents=documents)
    assert verdicts(run(case.scenario.system, case.properties)) == {"OWN-1": Verdict.HOLDS}


REGIONS = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: regions.example.com}
spec:
  group: example.com
  names: {kind: Region, plural: regions}
  scope: Cluster
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


def test_cluster_scoped(run: Check, ask: Ask) -> None:
    """What is in no namespace is created there, found from any, and owns what is in one."""
    code = """
    @controller(reconciles="Shop", reads=["Region", "Bucket"])
    def shop_operator(shop, cluster):
        region = cluster.get("Region", "eu")
        if region is None:
            region = yield create("Region", "eu")
        if not cluster.owned_by(region, "Bucket"):
            yield create("Bucket", "in-eu", owner=region)

    @converges("REG-1", "There is a bucket", reads=["Region", "Bucket"])
    def there(cluster):
        "The region owns a bucket in the end."
        region = cluster.get("Region", "eu")
        return region is not None and len(cluster.owned_by(region, "Bucket")) == 1

    @always("REG-2", "There is one region", reads=["Region"])
    def single(cluster):
        "The region is in no namespace."
        return all(region.namespace == "" for region in cluster.all("Region"))
    """
    case = ask("controllerRestarts: 1", code, documents=(SHOP, BUCKETS, REGIONS))
    result = run(case.scenario.system, case.properties)
    assert verdicts(result) == {"REG-1": Verdict.HOLDS, "REG-2": Verdict.HOLDS}
    assert "collect objects whose owners are gone" in result.statistics.rules_never_fired
