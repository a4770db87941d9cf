"""Runs that a test drives, machines that users subclass, and the programs that failures give."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.stateful import run_state_machine_as_test

from kubelemma.testing import ControlPlane, Refuted, Run, invariant, rule
from kubelemma.testing.marks import PROGRAM

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DEPLOYMENT: dict[str, Any] = yaml.safe_load(
    (EXAMPLES / "rollout-anti-affinity" / "deployment.yaml").read_text("utf-8")
)
THREE = "count=3,cpu=4,memory=8Gi"
FOUR = "count=4,cpu=4,memory=8Gi"
quick = settings(
    max_examples=15,
    derandomize=True,
    database=None,
    deadline=None,
    stateful_step_count=8,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def program_of(machine: type[ControlPlane], tries: settings = quick) -> str:
    """The program that the failure of a machine gives."""
    with pytest.raises(AssertionError) as caught:
        run_state_machine_as_test(machine, settings=tries)
    found: str = getattr(caught.value, PROGRAM)
    return found


def fresh(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The program, run by a fresh process."""
    (folder / "repeat.py").write_text(program, "utf-8")
    command = [sys.executable, "repeat.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


# Runs


def test_rollout_completes() -> None:
    """A run is driven by actions, comes to rest, and shows the cluster at any time."""
    run = Run(DEPLOYMENT, nodes=FOUR, events="rollout=web")
    assert run.cluster.deployment("web").complete
    run.act("rollout")
    assert not run.cluster.deployment("web").complete
    assert not run.at_rest
    run.settle()
    web = run.cluster.deployment("default/web")
    assert web.complete
    assert (web.replicas, web.version, web.ready, web.available, web.updated) == (3, "v2", 3, 3, 3)
    assert dict(web.replica_sets) == {"v1": 0, "v2": 3}
    assert run.story[0] == "user: applies a new pod template (v2) to web"
    run.assert_keeps("DEP-4")


def test_standstill_is_told() -> None:
    """Where a run has come to rest outside a goal, it is a counterexample, and told as one."""
    run = Run(DEPLOYMENT, nodes=THREE, events="rollout=web")
    run.act("rollout")
    run.settle()
    assert run.at_rest
    assert run.cluster.deployment("web").pending == 1
    with pytest.raises(AssertionError, match="DEP-4 is violated for Deployment default/web"):
        run.assert_keeps("DEP-4", "Deployment default/web")


def test_actions_by_object() -> None:
    """An action may say which node or Deployment it is about."""
    run = Run(DEPLOYMENT, nodes=THREE, events=["drain", "node-crash", "scale=web:5"])
    run.act("drain", node="node-2")
    run.act("node-crash", node="node-3")
    run.act("scale", deployment="web")
    cluster = run.cluster
    assert cluster.node("node-2").draining
    assert cluster.node("node-2").cordoned
    assert not cluster.node("node-3").up
    assert cluster.node("node-3").ready
    assert cluster.deployment("web").replicas == 5
    assert "node-3 (down): " in str(cluster)


def test_impossible_action_lists_what_is_possible() -> None:
    """The failure of an action says what could have been done."""
    run = Run(DEPLOYMENT, nodes=THREE, events="rollout=web")
    with pytest.raises(AssertionError) as caught:
        run.act("drain", node="node-1")
    text = str(caught.value)
    assert text.startswith("drain (node=node-1) is not possible here; possible is:\n")
    assert "  rollout: user: applies a new pod template (v2) to web" in text
    assert [possible.action for possible in run.possible("rollout")] == ["rollout"]


def test_wrong_questions() -> None:
    """Objects and properties that are not there are no silent success."""
    run = Run(DEPLOYMENT, nodes=THREE, events="rollout=web")
    with pytest.raises(LookupError, match='there is no Deployment "wbe"'):
        run.cluster.deployment("wbe")
    with pytest.raises(LookupError, match=r'no Node "node-9" \(did you mean "node-'):
        run.cluster.node("node-9")
    with pytest.raises(ValueError, match=r'DEP-44 is not asked about here \(did you mean "DEP-4"'):
        run.assert_keeps("DEP-44")
    other = {**DEPLOYMENT, "metadata": {"name": "api"}}
    both = ["web", "api"]
    with pytest.raises(ValueError, match=r"one .* there are 2: .*; name some as workloads="):
        Run(DEPLOYMENT, other, events="none")
    with pytest.raises(
        ValueError, match=r"one .* there are 4: .*; say what may happen \(events=\)"
    ):
        Run(DEPLOYMENT)
    run = Run(DEPLOYMENT, other, together=both, events="none")
    assert run.cluster.deployment("api").replicas == 3


# Machines


class Anything(
    ControlPlane, given=DEPLOYMENT, nodes=FOUR, events=["rollout=web", "drain=2"], properties=[]
):
    """Everything that may happen to a rollout."""

    @invariant()
    def view_fits_state(self) -> None:
        """What people see adds up to what the model counts, and the run to the machine's state."""
        system = self.places.system
        assert system.canonical(self.run.state) == self.state
        alive = sum(self.summary["alive of default/web"])
        assert len(self.cluster.deployment("web").pods) == alive
        assert [n.name for n in self.cluster.nodes] == ["node-1", "node-2", "node-3", "node-4"]


def test_runs_are_runs_of_the_model() -> None:
    """The cluster that a machine shows is that of a run that plain semantics allows."""
    run_state_machine_as_test(Anything, settings=quick)


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 50), max_size=25))
def test_machine_takes_any_step(choices: list[int]) -> None:
    """Whatever step of the run is asked for, the machine takes it, and both stay together."""
    machine = Anything()
    for choice in choices:
        steps = list(machine.run.steps())
        if not steps:
            break
        step = steps[choice % len(steps)]
        machine.act(step.outcome.action, rule=step.rule, at=step.positions)
        assert machine.run.taken[-1].positions == step.positions
        machine.view_fits_state()
    again = Run(DEPLOYMENT, nodes=FOUR, events=["rollout=web", "drain=2"])
    for step in machine.run.taken:
        again.act(step.outcome.action, rule=step.rule, at=step.positions)
    assert again.trace == machine.run.trace


def test_machine_needs_a_scenario() -> None:
    """A machine without a scenario says how one is named."""
    bare = type("Bare", (ControlPlane,), {})
    with pytest.raises(TypeError, match=r"Bare has no scenario: write class Bare\(..., given="):
        bare()


def test_expected_violations_do_not_fail() -> None:
    """What a scenario expects to be violated is not watched; an empty list watches nothing."""
    spec = {"expect": {"DEP-4": "violated", "STUCK": "violated"}}
    expecting = {
        "apiVersion": "kubelemma.dev/v1alpha1",
        "kind": "Check",
        "metadata": {"name": "expecting"},
        "spec": spec,
    }

    class Expecting(ControlPlane, given=[DEPLOYMENT, expecting], nodes=THREE, events="rollout=web"):
        pass

    class Unwatched(
        ControlPlane, given=DEPLOYMENT, nodes=THREE, events="rollout=web", properties=[]
    ):
        pass

    for machine in (Expecting, Unwatched):
        run_state_machine_as_test(machine, settings=quick)


class Scored(ControlPlane, given=DEPLOYMENT, nodes=FOUR, events="rollout=web", properties="DEP-1"):
    """A machine that says what its runs were worth: as many steps as they took."""

    def score(self) -> float | None:
        """The steps, all of them: it is asked when the controllers have come to rest."""
        assert self.run.at_rest
        return len(self.run.taken)


@pytest.mark.parametrize("score", [Scored.score, ControlPlane.score])
def test_scores_are_targets(score: Callable[[ControlPlane], float | None]) -> None:
    """Hypothesis looks for runs of a higher score, and keeps the best; without one it does not."""
    machine = type("Scored", (Scored,), {"score": score})
    database = InMemoryExampleDatabase()
    phases = [Phase.generate, Phase.target]
    tries = settings(quick, derandomize=False, database=database, phases=phases)
    run_state_machine_as_test(seed(0)(machine), settings=tries)
    assert any(database.data.values()) is (score is Scored.score)


# Programs


def test_program_of_a_standstill(tmp_path: Path) -> None:
    """A violated property gives a program that needs nothing else, and fails in the same way."""

    class Stuck(
        ControlPlane, given=DEPLOYMENT, nodes=THREE, events="rollout=web", properties=["DEP-4"]
    ):
        pass

    program = program_of(Stuck)
    assert "# user: applies a new pod template (v2) to web\nrun.act('rollout'" in program
    repeated = fresh(program, tmp_path)
    assert repeated.returncode == 1
    assert "AssertionError: DEP-4 is violated for Deployment default/web" in repeated.stderr
    assert "web-v2-1: 0/3 nodes are available" in repeated.stderr


def test_program_of_a_loop(tmp_path: Path) -> None:
    """A loop is repeated too, by the position from which its steps repeat."""
    looping = EXAMPLES / "nodename-taint-loop"

    class Looping(ControlPlane, given=str(looping), properties=["RS-1"]):
        pass

    program = program_of(Looping, settings(quick, max_examples=100))
    assert "loop_start=" in program
    repeated = fresh(program, tmp_path)
    assert "AssertionError: RS-1 is violated" in repeated.stderr
    assert "and again from step" in repeated.stderr


def test_program_of_loaded_code(tmp_path: Path) -> None:
    """A program names the files that brought controllers and properties; it does not hold them."""
    folder = EXAMPLES / "own-controller"
    code = [str(folder / "shop_operator.py"), str(folder / "promises.py")]

    class Shop(ControlPlane, given=str(folder), load=code, properties=["SHOP-1"]):
        pass

    program = program_of(Shop, settings(quick, max_examples=200))
    assert f"run = Run(*yaml.safe_load_all(SCENARIO), load={code!r})" in program
    assert "AssertionError: SHOP-1 is violated" in fresh(program, tmp_path).stderr


OWN = """
from hypothesis import strategies as st
from kubelemma.testing import ControlPlane, invariant, rule


class Web(ControlPlane, given={given!r}, nodes={nodes!r}, events=["drain=2"], properties=[]):
    def can_act(self, rule_name):
        return "drain on a node" not in rule_name

    def __init__(self):
        super().__init__()
        self.drained = 0

    @rule(pods=st.integers(0, 9))
    def drain(self, pods):
        if self.possible("drain") and pods > 3:
            self.act("drain")
            self.drained += 1

    @invariant()
    def at_most_one(self):
        assert self.drained < 2, "two nodes are drained"

"""


def test_program_of_a_users_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules and invariants of a user's own are called by the program, which loads their class."""
    source = tmp_path / "test_own.py"
    source.write_text(OWN.format(given=DEPLOYMENT, nodes=FOUR), "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    import test_own  # noqa: PLC0415 - it was written a moment ago

    program = program_of(test_own.Web, settings(quick, max_examples=200))
    assert "run_path('test_own.py')['Web']" in program
    assert program.count("machine.drain(pods=") >= 2
    assert program.rstrip().endswith("machine.at_most_one()")
    assert "machine.act('drain', rule='event" not in program
    repeated = fresh(program, tmp_path)
    assert repeated.returncode == 1
    assert "AssertionError: two nodes are drained" in repeated.stderr


def test_invariants_are_asked_in_each_step() -> None:
    """An invariant sees states between the rules, which last only for a step."""

    class Web(ControlPlane, given=DEPLOYMENT, nodes=FOUR, events="rollout=web", properties=[]):
        @rule()
        def roll_out(self) -> None:
            if self.possible("rollout"):
                self.act("rollout")

        @invariant()
        def no_pod_is_bound(self) -> None:
            assert "bound" not in {pod.phase for pod in self.cluster.pods}

    program = program_of(Web)
    assert "machine.act('bind'" in program


def test_refuted_carries_the_run() -> None:
    """The error has the property and the trace, for those who want to look closer."""

    class Stuck(
        ControlPlane, given=DEPLOYMENT, nodes=THREE, events="rollout=web", properties=["DEP-4"]
    ):
        pass

    machine = Stuck()
    for action in ("rollout", "create-replicaset", "decide"):
        machine.act(action)
    with pytest.raises(Refuted) as caught:
        machine.act("create-pod")
    assert caught.value.property.id == "DEP-4"
    assert caught.value.trace.standstill
    assert len(caught.value.trace.steps) == 4
