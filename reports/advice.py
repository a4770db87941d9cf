"""What to do about a violation: what fits its cause, with the field of the manifest to change.

The cause is read from the story: from what pods wait for, from what happens again and again, and
from the terms of the promise. Only where nothing of that fits is there the general remedy of the
property.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from kubelemma.model.cluster.clouds import NETWORK_UNAVAILABLE, SHUTDOWN, UNINITIALIZED
from kubelemma.model.components.apiserver.decision import DEFAULT_GRACE_SECONDS
from kubelemma.solver.result import Verdict

from .advice_storage import attached, claims, full_of_volumes, unbound
from .cases import Advice, Case, Repair, places, places_of
from .document import HELPS, NO_HELP, PropertyReport
from .story import Fact, Hindrance, Waiting
from .style import enumeration, few

_OF_CLOUDS = {
    UNINITIALIZED: (
        "which only the cloud controller manager takes away, once its cloud tells it of the "
        "machine: see that it runs, and knows it"
    ),
    SHUTDOWN: (
        "which only the cloud controller manager takes away, once the Node is Ready: see that it "
        "runs"
    ),
    NETWORK_UNAVAILABLE: (
        "which goes once a route leads to the pods of the node: see that the cloud controller "
        "manager runs, and may make routes, or that the network plugin says so"
    ),
}
"""By taints that a cloud has to do with: who takes them away."""


def advice(prop: PropertyReport) -> tuple[Advice, ...]:
    """What to do about a violation; what fits the cause comes first, and there is always some."""
    if prop.story is not None:
        case = Case(prop, prop.story)
        for causes in _CAUSES:
            found = _merged(one for find in causes for one in find(case))
            if found:
                return _of_use([_with_trial(one, prop) for one in found])
    return (Advice("", prop.statement.remediation),)


def together(properties: Iterable[PropertyReport]) -> tuple[Advice, ...]:
    """What to do about several violations, each thing once."""
    return _merged(one for prop in properties for one in advice(prop))


def _merged(found: Iterable[Advice]) -> tuple[Advice, ...]:
    """What is said of several fields once, with all of them."""
    first: dict[tuple[str, str], Advice] = {}
    for one in found:
        same = first.setdefault((one.cause, one.text), one)
        places = tuple(dict.fromkeys((*same.positions, *one.positions)))
        first[one.cause, one.text] = same._replace(positions=places)
    return tuple(first.values())


def _of_use(found: Sequence[Advice]) -> tuple[Advice, ...]:
    """What is known to help first, and nothing that is known not to, where there is anything else.

    The cause stays first: what cannot be tried says why. What is left first is no alternative.
    """
    useful = [one for one in found if not one.tried.endswith(NO_HELP)] or found
    first, *others = sorted(useful, key=lambda one: one.repair is not None and one.tried != HELPS)
    if first.text.startswith("Or "):
        text = first.text.removeprefix("Or ")
        first = first._replace(text=text[0].upper() + text[1:])
    return (first, *others)


def _with_trial(found: Advice, prop: PropertyReport) -> Advice:
    """The advice with what came of it, where it can be tried and the run has tried anything."""
    outcome = next((str(one) for one in prop.tried if one.repair == found.repair), "")
    return found._replace(tried=outcome or ("not tried" if found.repair and prop.tried else ""))


def cause(prop: PropertyReport) -> str:
    """What the first advice is about; empty where only the general one fits."""
    return advice(prop)[0].cause if prop.verdict is Verdict.VIOLATED else ""


_READ = "currentHealthy by the status that was read"

Cause: TypeAlias = Callable[[Case], Iterator[Advice]]


# A machine that is down


def _lost_machine(case: Case) -> Iterator[Advice]:
    """Pods that cannot end, or stay as they are, as their machine is down."""
    nodes = tuple(dict.fromkeys(fact.value for fact in case.own(Hindrance.MACHINE)))
    if not nodes:
        return
    staying = next(case.own(Hindrance.FOR_EVER), None)
    if staying is not None:
        text = (
            "The pods tolerate the NoExecute taints of a lost node for ever, so nobody evicts or "
            "replaces them: tolerate particular taints only, or give the toleration "
            "tolerationSeconds"
        )
        yield Advice("tolerated for ever", text, places_of(staying))
    recreate = next(case.own(Hindrance.STRATEGY), None)
    pods = few(tuple(each.pod for each in case.waiting if _is_held(each)))
    ailing = tuple(dict.fromkeys(fact.value for fact in case.own(Hindrance.RUNTIME)))
    if ailing:
        text = (
            f"The kubelet of {enumeration(ailing)} ends and starts no container while its "
            "container runtime does not answer: restart the runtime on the machine, or else the "
            "machine"
        )
        yield Advice("container runtime", text)
    why = (
        ", as Recreate starts no new pod before the old one is gone" if recreate is not None else ""
    )
    node = nodes[0]
    until = (
        f"{pods} cannot be replaced while {enumeration(nodes)} is down{why}. Once the machine is "
        "known to be off, "
    )
    if ailing == nodes:
        until = f"Until then {pods} cannot go{why}. Where the machine is switched off for it, "
    text = (
        f"{until}delete its Node (kubectl delete node {node}), or taint it (kubectl "
        f"taint node {node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute), or force "
        "the pod's deletion (kubectl delete pod NAME --force)"
    )
    yield Advice("recreate" if recreate is not None else "lost machine", text)
    if recreate is not None:
        text = (
            "Where two versions may run side by side, strategy RollingUpdate does not wait for "
            "pods on a lost machine"
        )
        yield Advice("recreate", text, places_of(recreate), Repair.ROLLING_UPDATE)
    if case.id == "DRAIN-1":
        yield Advice("lost machine", "Or drain with --skip-wait-for-delete-timeout")


def _is_held(waiting: Waiting) -> bool:
    return any(fact.name == Hindrance.MACHINE for fact in waiting.facts)


# Pods without a node


def _unknown_key(case: Case) -> Iterator[Advice]:
    """A rule over a topology key that no node has."""
    facts = (*case.own(Hindrance.UNKNOWN_KEY), *_terms(case, Hindrance.UNKNOWN_KEY))
    for fact in dict.fromkeys(facts):
        text = (
            f"No node has the label {fact.value}, by which the rule tells nodes apart: label the "
            "nodes, or name a key that they have, such as kubernetes.io/hostname"
        )
        yield Advice("unknown topology key", text, places_of(fact))


def _initial(case: Case) -> Iterator[Advice]:
    """An init container that asks for more than the containers together."""
    for fact in case.own(Hindrance.INIT_CONTAINER):
        name, _, amounts = fact.value.partition(": ")
        text = (
            f"The init container {name} decides what the pod requests ({amounts}), although it "
            "runs at the start only: let it request less"
        )
        yield Advice("init container", text, places_of(fact))


def _spread(case: Case) -> Iterator[Advice]:
    """Spread constraints that leave no node."""
    if not case.kept_out("PodTopologySpread") or any(_unknown_key(case)):
        return
    for fact in case.own(Hindrance.TAINTS_POLICY):
        text = (
            "The constraint counts nodes whose taints keep these pods out as empty domains: let it "
            "leave them out with nodeTaintsPolicy: Honor"
        )
        yield Advice("taints policy", text, places_of(fact), Repair.HONOR_TAINTS)
    for fact in case.own(Hindrance.EVERY_REVISION):
        text = (
            "Pods of the old version count as well: spread each version by itself with "
            "matchLabelKeys: [pod-template-hash]"
        )
        yield Advice("spread", text, places_of(fact), Repair.EACH_VERSION)
    text = "Make the spread constraint a wish with whenUnsatisfiable: ScheduleAnyway"
    where = places(case.kept_out("PodTopologySpread"))
    yield Advice("spread", text, where, Repair.SPREAD_AS_A_WISH)


def _affinity(case: Case) -> Iterator[Advice]:
    """Rules between pods that leave no node."""
    found = case.kept_out("InterPodAffinity")
    if not found or any(_unknown_key(case)):
        return
    apart = any("anti-affinity" in reason for review in found for reason in review.reasons)
    if not apart:
        text = "No node has the pods that these must stand with: start those first, or prefer it"
        yield Advice("affinity", text, places(found))
        return
    yield from _old_first(case, "anti-affinity", "The new pod may share no node with an old one")
    text = "Prefer the anti-affinity instead of requiring it, or add a node first"
    yield Advice("anti-affinity", text, places(found), Repair.APART_AS_A_WISH)


def _unsettled(case: Case) -> Iterator[Advice]:
    """Nodes with which the controllers of a cloud are not done."""
    for taint, who in _OF_CLOUDS.items():
        found = [each for each in case.kept_out("TaintToleration") if taint in each.detail]
        if found:
            nodes = few(tuple(dict.fromkeys(n for review in found for n in review.nodes)))
            yield Advice(taint, f"{nodes} has the taint {taint}, {who}")


def _cordoned(case: Case) -> Iterator[Advice]:
    """Nodes that somebody has cordoned, and does not drain."""
    found = case.kept_out("NodeUnschedulable")
    drained = any(step.action in {"drain", "drain-refuses"} for step in case.story.steps)
    if found and not drained:
        nodes = few(tuple(dict.fromkeys(n for review in found for n in review.nodes)))
        yield Advice("cordoned", f"{nodes} is cordoned: kubectl uncordon it, or add a node")


def _room(case: Case) -> Iterator[Advice]:
    """Resources that no node has left."""
    found = case.kept_out("NodeResourcesFit")
    if not found or any(_initial(case)):
        return
    details = "; ".join(dict.fromkeys(review.detail for review in found if review.detail))
    what = f" ({details})" if details else ""
    text = f"No node has room for the pod{what}: add a node, or let the pods request less"
    yield Advice("no room", text, places(found))
    yield from _old_first(case, "no room", "Without room for an extra pod an old one has to go")


def _old_first(case: Case, about: str, why: str) -> Iterator[Advice]:
    """Rolling updates can let old pods go before new ones come."""
    if not case.rolling:
        return
    for fact in case.own(Hindrance.UNAVAILABLE):
        if fact.value.split()[0] == "0":
            text = f"{why}: let it go first, with maxUnavailable 1 and maxSurge 0"
            yield Advice(about, text, places_of(fact), Repair.OLD_FIRST)


# Volumes


def _nodes(case: Case) -> Iterator[Advice]:
    """Nodes that take no pods, or not these."""
    for plugin, text in (
        ("NodeUnschedulable", "{nodes} takes no pods while it is cordoned: add a node first"),
        ("TaintToleration", "Pods need a toleration of {detail}, or {nodes} has to lose its taint"),
        ("NodeAffinity", "{nodes} does not have the labels that the pods ask for: label it"),
        ("NodePorts", "The host port is in use on {nodes}: a pod of each version needs a node"),
        ("NodeName", "The template names a node: use a nodeSelector instead"),
    ):
        found = case.kept_out(plugin)
        lost = all("node.kubernetes.io/" in review.detail for review in found)
        if found and not (plugin == "TaintToleration" and lost):
            nodes = few(tuple(dict.fromkeys(n for review in found for n in review.nodes)))
            detail = enumeration(dict.fromkeys(review.detail or "its taints" for review in found))
            yield Advice(plugin, text.format(nodes=nodes, detail=detail), places(found))


def _terms(case: Case, *names: str) -> Iterator[Fact]:
    yield from (term for name, term in case.terms.items() if name in names)


# What happens again and again


def _again(case: Case) -> Iterator[Advice]:
    """Pods that are created and lost again, for ever."""
    actions = {step.action for step in case.loop}
    if "create-pod" not in actions:
        return
    evicted = next((step for step in case.loop if step.action == "evict"), None)
    placed = "bind" in actions
    if "reject" in actions and not placed:
        yield Advice(
            "node name",
            "The template names its node (spec.nodeName), so the scheduler, which would keep the "
            "pods away, is not asked, and the kubelet rejects them: use a nodeSelector or a node "
            "affinity instead",
        )
    elif evicted is not None:
        facts = {fact.name: fact for fact in evicted.facts}
        tolerated = facts.get("tolerated by the pod", Fact("", ""))
        taints = [fact for fact in evicted.facts if fact.name.startswith("taint on ")]
        taint = taints[0].value if taints else "the NoExecute taint"
        if placed:
            text = (
                f"To the scheduler a toleration for a while is a toleration of {taint}: keep new "
                "pods away with a NoSchedule taint of the same key on the node, or tolerate it for "
                "ever, without tolerationSeconds"
            )
            yield Advice("tolerationSeconds", text, places_of(tolerated))
        else:
            text = (
                "The template names its node (spec.nodeName), so the scheduler does not heed "
                f"{taint}: use a nodeSelector instead, or tolerate the taint"
            )
            yield Advice("node name", text, places_of(tolerated))


def _refused(case: Case) -> Iterator[Advice]:
    """Pods that the API server refuses for want of their ServiceAccount."""
    facts = (fact for step in case.story.steps for fact in step.facts)
    account = next((fact for fact in facts if fact.name == "ServiceAccount of the pod"), None)
    if account is not None and any(s.action == "refuse-pod" for s in case.story.steps):
        text = (
            f"Create the ServiceAccount {account.value} again, and let nobody delete it while a "
            "template names it; the account default is created again by its controller"
        )
        yield Advice("service account", text, places_of(account))


def _unstarted(case: Case) -> Iterator[Advice]:
    """Containers that are never started: for want of what they refer to, or of their image."""
    for fact in case.own(Hindrance.MISSING):
        text = f"Create {fact.value} before, or together with, what refers to it"
        if not any("ImagePullBackOff" in each.message for each in case.waiting):
            text += "; or mark the reference as optional where the container can do without"
        yield Advice("missing configuration", text, places_of(fact))
    for fact in case.own(Hindrance.UNANSWERED):
        text = (
            f"Keep somebody who answers for Service {fact.value} while this rollout goes on "
            "(maxUnavailable below the number of replicas, and not Recreate), or let the init "
            "container go on without an answer"
        )
        yield Advice("waiting init container", text, places_of(fact))
    if any("registry cannot be reached" in each.message for each in case.waiting):
        text = (
            "Give the image a tag of its own, and leave imagePullPolicy at IfNotPresent: a node "
            "that has the image then starts it without its registry"
        )
        yield Advice("registry", text)
    elif any("ErrImageNeverPull" in each.message for each in case.waiting):
        text = (
            "Put the image on every node that may get the pod, keep the pod to those that have it "
            "(nodeSelector), or let kubelets pull it (imagePullPolicy: IfNotPresent)"
        )
        yield Advice("image", text)
    elif any("ImagePullBackOff: the image" in each.message for each in case.waiting):
        text = (
            "See why the image cannot be pulled (kubectl describe pod): its name, its tag, or the "
            "credentials of its registry; and undo the rollout meanwhile"
        )
        yield Advice("image", text)


def _slow(case: Case) -> Iterator[Advice]:
    """Containers that a probe kills before they have started."""
    found = next((step for step in case.loop if step.action == "kill-starting"), None)
    if found is None:
        return
    facts = {fact.name: fact for fact in found.facts}
    seconds = facts["startSeconds"].value if "startSeconds" in facts else "it takes"
    threshold = next(f for name, f in facts.items() if name.startswith("failureThreshold"))
    text = (
        f"Let a startupProbe wait for the container, failureThreshold times periodSeconds more "
        f"than {seconds} s: until it succeeds no other probe is asked"
    )
    yield Advice("slow start", text, places_of(threshold))


def _closed_gate(case: Case) -> Iterator[Advice]:
    """Readiness gates whose condition nobody sets."""
    if case.id != "DRAIN-1" and any("readiness gate" in each.message for each in case.waiting):
        text = (
            "See that the controller runs that sets the condition of the readiness gate, and knows "
            "these pods; or take the gate out of the template (spec.readinessGates)"
        )
        yield Advice("readiness gate", text)


def _never_ready(case: Case) -> Iterator[Advice]:
    """Containers that never become Ready."""
    broken = [each for each in case.waiting if "never become Ready" in each.message]
    if not broken:
        return
    unasked = next(iter(case.own(Hindrance.UNASKED)), None)
    if unasked is not None:
        what, _, port = unasked.value.partition(": ")
        text = (
            f"Call a port of the container {port}, or let its {what} ask for one that it has: "
            "until then the probe never succeeds"
        )
        yield Advice("port of a probe", text, places_of(unasked))
        return
    if case.id == "DRAIN-1":
        text = (
            "The budget protects pods that are not Ready anyway: let them go with "
            "unhealthyPodEvictionPolicy: AlwaysAllow"
        )
        yield Advice("unready pods", text)
    elif case.id == "STS-7":
        pods = enumeration(each.pod for each in broken)
        text = (
            f"With OrderedReady nothing goes on before {pods} is Ready, whatever the template says "
            f"by then: repair it, and delete the pod (kubectl delete pod {broken[0].pod}); with "
            "podManagementPolicy: Parallel it is replaced by itself"
        )
        yield Advice("never ready", text)
    else:
        text = "See why the containers never become Ready (kubectl logs), and undo the rollout"
        yield Advice("never ready", text)


# Drains and losses


def _budget(case: Case) -> Iterator[Advice]:
    """A budget that allows nothing although all is well."""
    if case.id != "DRAIN-1":
        return
    failing = [name for name in case.terms if name.startswith("sync of ")]
    if failing:
        text = (
            f"{failing[0].removeprefix('sync of ')} also covers pods of DaemonSets or Jobs, and "
            "with a share or maxUnavailable it allows nothing then: narrow its selector"
        )
        yield Advice("selector of a budget", text)
        return
    budgets = [
        name.removeprefix("disruptionsAllowed of ")
        for name, term in case.terms.items()
        if name.startswith("disruptionsAllowed of ") and term.value == "0"
    ]
    if budgets and not case.waiting:
        text = (
            f"{enumeration(budgets)} allows nothing although every pod is healthy: run one replica "
            "more than it asks for, or let it allow one to go (maxUnavailable: 1)"
        )
        yield Advice("strict budget", text)


_UNASKED = {
    "end-pod": "A kubelet whose machine is shut down asks no budget",
    "collect-orphan": "Whoever deletes a Node asks no budget",
}
"""What takes pods without asking their budgets."""


def _left_alone(case: Case) -> Iterator[Advice]:
    """Too few pods left by a drain or a lost node."""
    if case.id != "DRAIN-2":
        return
    replicas = case.terms.get(Hindrance.REPLICAS)
    if case.story.steps and case.story.steps[-1].action == "evict-for-memory":
        text = (
            "Give its containers a limit of memory that is their request: a kubelet that is short "
            "of memory evicts pods that use more than they request first, and asks no budget"
        )
        yield Advice("memory", text)
        return
    unasked = _UNASKED.get(case.story.steps[-1].action) if case.story.steps else None
    if unasked is not None and not (replicas is not None and replicas.value == "1"):
        text = (
            f"{unasked}: drain the node before, which evicts one pod after the other as budgets "
            "allow (in a Check: drained: true)"
        )
        yield Advice("not drained", text)
        return
    apart = next(_terms(case, Hindrance.APART), None)
    wish = next(_terms(case, Hindrance.WISH), None)
    if replicas is not None and replicas.value == "1":
        text = "One replica is none while it is replaced: run two or more, kept on different nodes"
        yield Advice("one replica", text, places_of(replicas))
    elif wish is not None and apart is None:
        text = (
            "The rule that keeps its pods apart is only a wish: require it, with anti-affinity "
            "that is required, or with whenUnsatisfiable: DoNotSchedule"
        )
        yield Advice("only a wish", text, places_of(wish))
    elif replicas is not None and apart is None and not any(_unknown_key(case)):
        text = (
            f"Nothing keeps its {replicas.value} pods on different nodes: add a topology spread "
            "constraint or anti-affinity over kubernetes.io/hostname"
        )
        yield Advice("not apart", text, places_of(replicas))
    healthy, told = case.terms.get("healthy pods"), case.terms.get(_READ)
    if healthy is not None and told is not None and int(told.value) > int(healthy.value) + 1:
        text = (
            "The eviction was granted on a status that did not know of all pods that are gone: run "
            "one replica more than you can do without"
        )
        yield Advice("stale status", text)
    if any(step.action == "drain-delete" for step in case.story.steps):
        yield Advice("disabled eviction", "Drain without --disable-eviction, which asks no budget")
    elif replicas is not None and replicas.value != "1" and _unguarded(case):
        text = "A PodDisruptionBudget has drains replace one pod before the next goes"
        yield Advice("no budget", text)


def _unguarded(case: Case) -> bool:
    """Whether an eviction took the pod, and no budget was asked."""
    last = case.story.steps[-1] if case.story.steps else None
    return last is not None and last.action == "evict-pod" and "desired" not in case.terms


def _no_pause(case: Case) -> Iterator[Advice]:
    """Pods that stop before everybody has heard of their deletion."""
    pause = next(_terms(case, Hindrance.SERVES_FOR), None)
    if pause is None:
        return
    if any(_terms(case, Hindrance.PUBLISHED)):
        text = (
            "With publishNotReadyAddresses a pod is ready in the slices until it is gone, whatever "
            "pause it makes: do without it, or let clients try again"
        )
        yield Advice("published addresses", text)
        return
    longer = "wait" if pause.value == "0 s" else f"wait longer than {pause.value}"
    senders, heard = (next(_terms(case, h)).value for h in (Hindrance.SENDERS, Hindrance.HEARD))
    checked = next(_terms(case, Hindrance.ENOUGH), None)
    first = f"all {senders} hear first" if checked is None else "its load balancer knows first"
    enough = heard.removesuffix(" s") if checked is None else checked.value
    fits = int(enough) < DEFAULT_GRACE_SECONDS
    within = "within terminationGracePeriodSeconds"
    raised = f"and a terminationGracePeriodSeconds beyond it (by default {DEFAULT_GRACE_SECONDS})"
    text = (
        f"Let its containers {longer} before they stop, so that {first}: "
        f"lifecycle.preStop.sleep.seconds of {enough} or more, {within if fits else raised}"
    )
    yield Advice("no pause", text)


_CAUSES: tuple[tuple[Cause, ...], ...] = (
    (
        _lost_machine,
        _unknown_key,
        _initial,
        _unsettled,
        _cordoned,
        _spread,
        _affinity,
        _room,
        attached,
        claims,
        unbound,
        full_of_volumes,
        _again,
        _refused,
        _unstarted,
        _slow,
        _closed_gate,
        _never_ready,
        _budget,
        _left_alone,
        _no_pause,
    ),
    (_nodes,),
)
"""Particular ones first: what they say is all said; the others are asked where they say nothing."""
