"""Tellers: what must be there to tell of what components do is there, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from string import Formatter

import pytest
from happening import scenarios

from kubelemma.model.cluster.snapshot import Snapshot
from kubelemma.model.components.cloudnodelifecycle.actions import MACHINE_MISSING, MACHINE_STOPPED
from kubelemma.model.components.garbagecollector.actions import PRUNE
from kubelemma.model.components.podgc.actions import OUT_OF_SERVICE
from kubelemma.model.components.reconcile.actions import DOES
from kubelemma.model.components.registry import ACTIONS, COMPONENTS, EVENTS
from kubelemma.model.components.scheduler.actions import BIND
from kubelemma.model.components.servicelb.actions import RELEASE_BALANCER
from kubelemma.model.components.users.actions import APPLY
from kubelemma.model.system import Action, Outcome, Transition
from kubelemma.properties import catalogue
from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.reports import narrate
from kubelemma.reports.narrate import tellers
from kubelemma.reports.narrate.contradiction import CLAIMS
from kubelemma.reports.narrate.reasons import CAUSES, FACTS
from kubelemma.reports.narrate.scene import Scene
from kubelemma.reports.narrate.summary import OWN_WORDS, SENTENCES, WORDS, summary
from kubelemma.reports.narrate.teller import Teller
from kubelemma.reports.narrate.tellers import TELLERS, together
from kubelemma.reports.narrate.written import Written
from kubelemma.solver.result import TraceStep
from kubelemma.solver.simulate import simulate

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
FOLDER = ROOT / "reports" / "narrate"
ROOMS = "kubelemma.model.components."


@pytest.fixture(scope="module")
def possible() -> list[Transition]:
    """A step of each action that is possible somewhere along random runs."""
    found: dict[tuple[str, bool], Transition] = {}
    told = {action for action in ACTIONS if DOES not in action.arguments}
    every = list(scenarios())
    for seed in range(16):
        for scenario in every:
            for state in simulate(scenario.system, seed, 150).states():
                for step in scenario.system.successors(state):
                    spoken = DOES in dict(step.outcome.arguments)
                    found.setdefault((step.outcome.action, spoken), step)
        if told <= {action for action, _ in found}:
            break
    return list(found.values())


IN_THE_END = (APPLY, PRUNE, OUT_OF_SERVICE, RELEASE_BALANCER, MACHINE_MISSING, MACHINE_STOPPED)
"""What users do in the end, and so no step of somebody who might as well not take it."""


def spoken(step: Transition) -> bool:
    """Whether a step brings its sentence along."""
    return DOES in dict(step.outcome.arguments)


def test_every_action_has_a_sentence_and_every_sentence_an_action() -> None:
    """What is declared is told by a teller, unless it brings its sentence along; nothing else."""
    assert {action for action in ACTIONS if DOES not in action.arguments} == set(SENTENCES)


def test_every_action_is_declared_once() -> None:
    """Whatever action a room has, its component or one of its events declares."""
    rooms = (module for name, module in sys.modules.items() if name.startswith(ROOMS))
    found = {id(value) for room in rooms for value in vars(room).values() if is_action(value)}
    assert found == {id(action) for action in ACTIONS}
    assert len(ACTIONS) == len(set(ACTIONS))


def is_action(value: object) -> bool:
    """Whether it is a single action."""
    return isinstance(value, Action)


def test_what_is_done_is_declared(possible: list[Transition]) -> None:
    """Rules do what a component declares, or an event of loaded code, and nothing is left over."""
    done = {step.outcome.action for step in possible}
    called = {step.outcome.action for step in possible if step.rule.name.startswith("event ")}
    assert done - set(ACTIONS) <= called
    assert {action for action in ACTIONS if DOES not in action.arguments} <= done


def test_users_and_faults_are_traced_to_the_input(possible: list[Transition]) -> None:
    """All that users and faults do has a sentence, and comes from a line of a Check.

    What is done in the end is a step of nobody who might as well not take it.
    """
    chances = {s.outcome.action for s in possible if s.rule.environment and not spoken(s)}
    chances |= {s.outcome.action for s in possible if s.outcome.action in IN_THE_END}
    assert chances == set(CAUSES)
    assert set(EVENTS) <= set(CAUSES)


def test_nobody_speaks_of_steps_that_are_not_told() -> None:
    """Whatever is told of an action is told of one that has a sentence, or brings it along."""
    spoken_of = {*FACTS, *together(lambda t: t.decisive), *together(lambda t: t.ends)}
    assert spoken_of <= set(SENTENCES) | set(ACTIONS)


def test_words_are_those_of_sentences() -> None:
    """Every word in a sentence is somebody's, and every word of somebody's is in a sentence."""
    used = {name for text in SENTENCES.values() for _, name, _, _ in Formatter().parse(text)}
    assert used - {None} == {*WORDS, *OWN_WORDS}


def test_claims_are_about_properties() -> None:
    """What is claimed of a property is claimed of one that exists."""
    assert set(CLAIMS) <= set(STATEMENTS)


def test_two_tellers_cannot_tell_of_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second sentence of one action is refused when tellers are put together."""
    another = Teller(name="another", sentences={BIND: "puts {pod} on {node}"})
    monkeypatch.setattr(tellers, "TELLERS", (*TELLERS, another))
    with pytest.raises(ValueError, match='"bind" of another'):
        together(lambda teller: teller.sentences)


def test_an_action_that_nobody_tells_is_an_error() -> None:
    """Nothing is told in words that were never meant for people."""
    scenario = next(scenarios())
    start = Snapshot(scenario, scenario.system.initial)
    step = TraceStep("", "somebody", False, (), Outcome(Action("waltz"), {}), start.state)
    with pytest.raises(LookupError, match='"waltz"'):
        summary(Scene(start, start, step, (), Written()))


# Where things are


def test_components_have_the_same_name_everywhere() -> None:
    """A component's folder, its teller, and what it promises are called alike."""
    names = {component.name for component in COMPONENTS}
    told = {teller.name for teller in TELLERS}
    assert names <= told
    for name in told:
        assert sys.modules[f"{narrate.__name__}.{name}"].TELLER.name == name
    folders = {path.name for path in (ROOT / "model" / "components").iterdir() if path.is_dir()}
    assert told <= folders
    promising = {module.__name__.rpartition(".")[2] for module in catalogue.COMPONENTS}  # type: ignore[attr-defined]
    assert promising <= names
