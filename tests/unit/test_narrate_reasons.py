"""Why steps are taken, promises belied, and nobody acts any more: as data, with places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kubelemma import api
from kubelemma.question import STDIN, Question
from kubelemma.reports.narrate import Written, narrate, narrate_steps
from kubelemma.reports.narrate.cast import opening
from kubelemma.reports.narrate.picture import observer
from kubelemma.reports.picture import Picture, apply
from kubelemma.reports.story import Fact, Story, StoryStep
from kubelemma.solver.simulate import simulate

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  strategy:
    rollingUpdate:
      maxSurge: 50%
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      tolerations:
      - {key: node.kubernetes.io/unreachable, effect: NoExecute, tolerationSeconds: 30}
      containers:
      - name: web
        image: registry.example/web:1
        resources:
          requests: {cpu: 500m}
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: guard}
spec: {minAvailable: 50%, selector: {matchLabels: {app: web}}}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: rollout}
spec:
  cluster:
    nodes: [{count: NODES, allocatable: {cpu: "1"}}]
  events:
  - rollout: {deployment: web}
  - nodeCrash: {max: 2}
"""
PLACES = {"spec.replicas": 5, "maxSurge": 8, "maxUnavailable": 7}
"""The lines of the bounds; that of the last is not written, so the enclosing one is named."""


def case_of(nodes: int, text: str = WEB, **question: Any) -> api.Case:
    """The one case of the manifests above on so many nodes of one core."""
    asked = Question(paths=(STDIN,), stdin=text.replace("NODES", str(nodes)), **question)
    (case,) = api.ask(asked).cases
    return case


def story_of(case: api.Case, identifier: str) -> Story:
    """The story of the violation of a property."""
    report = api.report([api.explore(case)])
    found = (p for s in report.scenarios for p in s.properties if p.id == identifier)
    story = next(found).story
    assert story is not None
    return story


def named(facts: tuple[Fact, ...]) -> dict[str, str]:
    """Values by name."""
    return {fact.name: fact.value for fact in facts}


def lines(facts: tuple[Fact, ...]) -> dict[str, int]:
    """Lines by name, of those that have one."""
    return {fact.name: fact.position.line for fact in facts if fact.position is not None}


@pytest.fixture(scope="module")
def full() -> Story:
    """A rollout for which the only node has no room."""
    return story_of(case_of(1, events=("rollout=web",)), "DEP-4")


@pytest.fixture(scope="module")
def runs() -> tuple[api.Case, list[tuple[StoryStep, ...]]]:
    """Random runs in which nodes crash during a rollout."""
    case = case_of(3)
    written = Written(case.manifests, case.document)
    traces = [simulate(case.scenario.system, seed, 120) for seed in range(12)]
    return case, [narrate_steps(case.scenario, trace, written) for trace in traces]


def test_the_bound_that_allows_a_step(full: Story) -> None:
    """The Deployment controller's decision has its bounds in pods, and where they are written."""
    created = full.steps[1]
    assert created.action == "create-replicaset"
    values = named(created.facts)
    assert values["maxSurge"] == "1 (50% of 2)"
    assert values["maxUnavailable"] == "0 (25% of 2, rounded down; by default)"
    assert values["room to grow"] == "1 (spec.replicas 2 + maxSurge 1 - 2 asked for in all)"
    assert lines(created.facts) == PLACES
    assert created.position is not None
    assert created.position.line == PLACES["maxSurge"]


def test_every_decision_has_its_facts(runs: tuple[api.Case, list[tuple[StoryStep, ...]]]) -> None:
    """In random runs users and faults read nothing, and the known decisions always something."""
    steps = [step for run in runs[1] for step in run]
    silent = {step.action for step in steps if not step.facts and not step.environment}
    assert silent <= {"finish-termination", "node-unknown", "node-ready"}
    assert not any(step.facts for step in steps if step.environment)
    assert {"bind", "evict", "taint-no-execute", "delete-pod"} <= {step.action for step in steps}


def test_events_stand_in_the_check(runs: tuple[api.Case, list[tuple[StoryStep, ...]]]) -> None:
    """What users and faults do has the event that allows it, a boot that of the crash."""
    found = {
        (step.action, step.position.line)
        for run in runs[1]
        for step in run
        if step.environment and step.position
    }
    top = WEB[: WEB.index("  - rollout")].count("\n") + 1
    assert found == {("rollout", top), ("node-crash", top + 1), ("node-return", top + 1)}


def test_bindings_review_every_node(runs: tuple[api.Case, list[tuple[StoryStep, ...]]]) -> None:
    """Each node is reviewed once: the chosen one, others that would do, who filtered the rest."""
    case, told = runs
    bindings = [step for run in told for step in run if step.action == "bind"]
    assert bindings
    judgements = set()
    for step in bindings:
        names = [name for review in step.nodes for name in review.nodes]
        assert sorted(names) == sorted(case.scenario.node_names)
        (chosen,) = (review for review in step.nodes if review.judgement == "chosen")
        assert step.summary.endswith(f" to {chosen.nodes[0]}")
        judgements |= {(r.judgement, r.plugin) for r in step.nodes}
        assert all(bool(r.plugin) == (r.judgement == "filtered") for r in step.nodes)
    assert ("filtered", "TaintToleration") in judgements
    assert ("filtered", "NodeResourcesFit") in judgements


def test_scores_are_told_where_they_decide() -> None:
    """With scores, a node that passes every filter may lose to another."""
    case = case_of(3, scoring=True, events=("scale=web:3",))
    steps = narrate_steps(case.scenario, simulate(case.scenario.system, 1, 60))
    (binding,) = (step for step in steps if step.action == "bind")
    scores = {review.judgement: review.score for review in binding.nodes}
    assert set(scores) == {"chosen", "outscored"}
    assert scores["chosen"] is not None
    assert scores["outscored"] is not None
    assert scores["chosen"] > scores["outscored"]


def test_the_terms_of_a_promise(full: Story) -> None:
    """The promise is told with its values after the step that belies it."""
    (found,) = full.contradictions
    assert found.step == len(full.steps)
    assert found.claim.startswith("web should have 2 available pods of v2 and no others; it has 2")
    assert found.claim.endswith("0 available of v2 (ReplicaSet of 1, 1 pending)")
    values = named(found.terms)
    assert values["available pods of v2"] == "0 of 2"
    assert values["spec.replicas of ReplicaSet web-v1"] == "2"
    assert values["complete"] == "False"
    assert lines(found.terms) == {"spec.replicas": PLACES["spec.replicas"]}


def test_availability_in_numbers() -> None:
    """What is left available is held against the promise, by what was decided before a crash."""
    single = WEB.replace("replicas: 2", "replicas: 1")
    story = story_of(case_of(2, single), "DEP-2")
    (found,) = story.contradictions
    assert named(found.terms)["available pods"] == "0"
    assert named(found.terms)["promised"] == "1"
    assert "spec.replicas 1 - maxUnavailable 0" in found.claim
    assert any("its status still says 1" in text for text in story.steps[-1].unseen)


LOOP = """
apiVersion: v1
kind: Node
metadata: {name: node-1}
spec: {taints: [{key: flaky, effect: NoExecute}]}
status: {allocatable: {cpu: "4", pods: "110"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      tolerations:
      - {key: flaky, effect: NoExecute, tolerationSeconds: 10}
      containers: [{name: web, image: "web:1"}]
"""


def test_a_loop_is_belied_where_it_leaves_its_goal() -> None:
    """The terms are those of a state in the loop that is not as promised."""
    story = story_of(case_of(1, LOOP, events=("scale=web:1",)), "RS-1")
    assert story.loop_start is not None
    (found,) = story.contradictions
    assert found.claim == "ReplicaSet web-v1 asks for 1 pod and has 0 active"
    assert found.step > story.loop_start
    assert not story.waiting
    assert any("Kept going by: " in line for line in story.conclusion)
    (eviction,) = (step for step in story.steps if step.action == "evict")
    assert named(eviction.facts)["taint on node-1"] == "flaky:NoExecute"
    assert named(eviction.facts)["tolerated by the pod"] == "for 10 s"


def test_a_standstill_says_why_nobody_acts(full: Story) -> None:
    """Every component says why it rests, and those whose work is not done that they are held up."""
    held_up = {one.actor: one.reason for one in full.idle if one.held_up}
    assert set(held_up) == {"deployment-controller", "scheduler"}
    assert "spec.replicas 2 + maxSurge 1 allow 3" in held_up["deployment-controller"]
    assert held_up["scheduler"] == "no node passes every filter for web-v2-1"
    assert {one.actor for one in full.idle} >= {"replicaset-controller", "kubelet"}


def test_pods_that_never_become_ready() -> None:
    """A pod on a node waits for its own containers, and the kubelet is held up by them."""
    failing = WEB.replace("{deployment: web}", "{deployment: web, newVersion: neverReady}")
    case = case_of(3, failing.replace("  - nodeCrash: {max: 2}\n", ""))
    trace = simulate(case.scenario.system, 0, 200)
    assert len(trace.steps) < 200
    story = narrate(case.scenario, case.properties[0], replace(trace, standstill=True))
    (waiting,) = story.waiting
    assert waiting.message.endswith("and never become Ready: the scenario says so.")
    held_up = {one.actor: one.reason for one in story.idle if one.held_up}
    assert held_up["kubelet"] == f"the containers of {waiting.pod} run, and never become Ready"


def test_pods_on_a_machine_that_is_down() -> None:
    """Where the only zone is down nobody is evicted, and its pods wait for their node."""
    case = case_of(1, events=("node-crash",))
    runs = (simulate(case.scenario.system, seed, 10) for seed in range(100))
    wanted = ["node-crash", "node-unknown", "pod-unready"]
    trace = next(run for run in runs if [s.outcome.action for s in run.steps[:3]] == wanted)
    stopped = replace(trace, steps=trace.steps[:3], standstill=True)
    story = narrate(case.scenario, case.properties[0], stopped)
    assert {w.message.partition(":")[2] for w in story.waiting} == {
        " node-1 is down, and need not come back."
    }
    reasons = {one.actor: one.reason for one in story.idle}
    assert reasons["node-lifecycle-controller"].startswith("node-1 may not be tainted NoExecute")


def shown(case: api.Case, seed: int) -> list[Picture]:
    """The picture of every state of a random run."""
    written = Written(case.manifests)
    trace = simulate(case.scenario.system, seed, 100)
    first = observer(case.scenario, written)(trace.initial, opening(case.scenario, trace.initial))
    found = [first]
    for step in narrate_steps(case.scenario, trace, written):
        assert step.picture is not None
        found.append(apply(found[-1], step.picture))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_services_and_budgets_follow_the_pods(
    runs: tuple[api.Case, list[tuple[StoryStep, ...]]], seed: int
) -> None:
    """Ready pods receive traffic; a budget counts them against half of what is asked for."""
    for picture in shown(runs[0], seed):
        ready = [pod for pod in picture.pods if pod.phase in ("ready", "available")]
        down = {node.name for node in picture.nodes if "down" in node.conditions}
        (service,) = picture.services
        assert service.name == "default/front"
        assert service.endpoints == tuple(sorted(pod.name for pod in ready))
        assert service.silent == sum(pod.node in down for pod in ready)
        (budget,) = picture.budgets
        assert (budget.name, budget.healthy) == ("default/guard", len(ready))
        assert budget.desired == (1 if picture.pods else 0)
        assert budget.allowed == max(0, budget.healthy - budget.desired)


def test_names_have_namespaces_where_there_are_several() -> None:
    """Two workloads of one name are told apart in every sentence, and in the picture."""
    one = WEB.partition("---")[0]
    other = one.replace("{name: web}", "{name: web, namespace: blog}", 1)
    question = Question(
        paths=(STDIN,),
        stdin=f"{one}---\n{other}",
        nodes=("count=2,cpu=2",),
        together=("default/web", "blog/web"),
        events=("rollout=blog/web",),
    )
    (case,) = api.ask(question).cases
    assert "events, at any time: rollout of blog/web once" in case.scenario.setting
    trace = simulate(case.scenario.system, 1, 30)
    steps = narrate_steps(case.scenario, trace)
    assert steps[0].summary == "applies a new pod template (v2) to blog/web"
    told = [text for step in steps for text in (step.summary, *(c.object for c in step.changes))]
    assert not any(" web" in text for text in told)
    names = {pod.name for pod in shown(case, 1)[-1].pods}
    assert {name.rpartition("/")[0] for name in names} == {"default", "blog"}
