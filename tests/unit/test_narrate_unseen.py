"""What actors did not see, held against the picture of the same moment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from kubelemma import api
from kubelemma.question import STDIN, Question
from kubelemma.reports.narrate import narrate_steps
from kubelemma.reports.narrate.cast import opening
from kubelemma.reports.narrate.picture import observer
from kubelemma.reports.picture import Picture, apply
from kubelemma.reports.story import StoryStep
from kubelemma.solver.simulate import simulate

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", resources: {requests: {cpu: 500m}}}]}
"""
STATUS = re.compile(r"ReplicaSet (\S+) has (\d+) available; its status still says (\d+)")
MACHINE = re.compile(r"(\S+) is down; the API still shows it Ready")


class Moment(NamedTuple):
    """A step, and the cluster before it."""

    before: Picture
    step: StoryStep


@pytest.fixture(scope="module")
def moments() -> list[Moment]:
    """The moments of random runs in which nodes crash during a rollout."""
    question = Question(
        paths=(STDIN,),
        stdin=WEB,
        nodes=("count=3,cpu=2,memory=1Gi",),
        events=("rollout=web", "scale=web:3", "node-crash=1"),
    )
    (case,) = api.ask(question).cases
    return [moment for seed in range(25) for moment in _run(case, seed)]


def _run(case: api.Case, seed: int) -> Iterator[Moment]:
    scenario = case.scenario
    trace = simulate(scenario.system, seed, 100)
    picture = observer(scenario)(trace.initial, opening(scenario, trace.initial))
    for step in narrate_steps(scenario, trace):
        yield Moment(picture, step)
        assert step.picture is not None
        picture = apply(picture, step.picture)


def test_stale_statuses_are_told(moments: list[Moment]) -> None:
    """A status that its pods belie is told of those who go by it, or by what was decided by it."""
    found = [(m, STATUS.fullmatch(text)) for m in moments for text in m.step.unseen]
    stale = [(moment, match) for moment, match in found if match]
    assert stale
    for moment, match in stale:
        name, true, said = match.groups()
        pods = [p for p in moment.before.pods if f"web-{p.version}" == name]
        assert sum(pod.phase == "available" for pod in pods) == int(true) != int(said)
        deletes = moment.step.action == "delete-pod"
        assert deletes or moment.step.actor == "deployment-controller"
        assert not deletes or not moment.step.summary.startswith(f"deletes {name}-")


def test_unnoticed_crashes_are_told(moments: list[Moment]) -> None:
    """A node that is down while the API shows it Ready is told to those who count on it."""
    found = [(m, MACHINE.fullmatch(text)) for m in moments for text in m.step.unseen]
    crashed = [(moment, match[1]) for moment, match in found if match]
    assert crashed
    for moment, name in crashed:
        (node,) = (box for box in moment.before.nodes if box.name == name)
        assert "down" in node.conditions
        assert not any("Unknown" in condition for condition in node.conditions)
        assert moment.step.action != "node-unknown"


def test_users_and_faults_need_not_see(moments: list[Moment]) -> None:
    """Only controllers are said not to have seen something, and each sentence is a known one."""
    assert not any(m.step.unseen for m in moments if m.step.environment)
    sentences = {text for m in moments for text in m.step.unseen}
    assert all(STATUS.fullmatch(text) or MACHINE.fullmatch(text) for text in sentences)
