"""The story of something that should have followed."""

from __future__ import annotations

from dataclasses import replace

from kubelemma import api
from kubelemma.properties.formula import Converges, LeadsTo
from kubelemma.question import STDIN, Question
from kubelemma.reports.narrate import narrate
from kubelemma.solver.explore import check

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.example/web:1
        resources: {requests: {cpu: 500m, memory: 64Mi}}
"""


def test_a_story_says_since_when_something_is_due() -> None:
    """A rollout that a full node stops: whatever is no longer complete must be so again."""
    question = Question(
        paths=(STDIN,), stdin=WEB, nodes=("count=1,cpu=1,memory=1Gi",), events=("rollout=web",)
    )
    (case,) = api.ask(question).cases
    (rollout,) = (prop for prop in case.properties if prop.id == "DEP-4")
    assert isinstance(rollout.formula, Converges)
    again = LeadsTo(rollout.formula.view, lambda *_: True, rollout.formula.goal)
    (found,) = check(case.scenario.system, [replace(rollout, formula=again)]).properties
    assert found.trace is not None
    story = narrate(case.scenario, found.property, found.trace)
    assert story.steps[0].summary == "applies a new pod template (v2) to web"
    assert story.conclusion[:2] == (
        "Nobody can act any more, users and faults aside.",
        "After step 1, something is due that never comes.",
    )
