"""Leads-to on small graphs with known answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from kubelemma.model.errors import ModelError
from kubelemma.model.system import Action, Bound, Cell, Family, Outcome, Rule, System, Tally, View
from kubelemma.properties.formula import Converges, LeadsTo
from kubelemma.properties.statement import Property
from kubelemma.solver import compiled
from kubelemma.solver.checkpoints import Checkpoints
from kubelemma.solver.graph import state_graph
from kubelemma.solver.limits import Limits
from kubelemma.solver.replay import refutes, step_of
from kubelemma.solver.result import CheckResult, PropertyResult, Trace, Verdict

Check = Callable[..., CheckResult]
Promise = Callable[..., Property]

AT = View(("at",))
SERVED = LeadsTo(AT, lambda at: at.startswith("asks"), lambda at: at.startswith("served"))
"""Whoever asks is served, on graphs whose places are named accordingly."""


class Way(NamedTuple):
    """A step from one place to another, by a task or by a fault."""

    source: str
    target: str
    task: str


def walk(*ways: str, bounds: tuple[Bound, ...] = ()) -> System:
    """One who walks along the ways, each ``source task target``, from the first source on."""
    known = [Way(source, target, task) for source, task, target in map(str.split, ways)]

    def rule(task: str) -> Rule:
        def go(at: str) -> Iterator[Outcome]:
            for way in known:
                if (way.source, way.task) == (at, task):
                    yield Outcome(Action(f"go to {way.target}"), {"at": way.target})

        return Rule(task, task, ("at",), go, environment=task == "fault")

    tasks = sorted({way.task for way in known})
    return System(cells=[Cell("at", known[0].source)], rules=map(rule, tasks), bounds=bounds)


def only(result: CheckResult) -> PropertyResult:
    """The result on the one property that was checked."""
    (found,) = result.properties
    return found


def places(trace: Trace) -> str:
    """Where a run goes, with a colon before its loop."""
    names = [str(state[0]) for state in trace.states()]
    if trace.loop_start is not None:
        names.insert(trace.loop_start, ":")
    return " ".join(names)


@pytest.mark.parametrize(
    "ways",
    [
        pytest.param(["asks one waits", "waits one served"], id="later"),
        pytest.param(["asks one served", "served one asks"], id="again and again"),
        pytest.param(["asks one served", "served one rests"], id="and left for a standstill"),
        pytest.param(
            ["asks one served", "served one rests", "rests one rests"], id="and left for a loop"
        ),
        pytest.param(
            ["asks one waits", "waits one asks", "asks two served", "waits two served"],
            id="a task that can always act does",
        ),
        pytest.param(
            ["asks fault waits", "asks one served", "waits one served"], id="after faults"
        ),
        pytest.param(
            ["rests one asks", "asks one served", "rests fault over"], id="others stand still"
        ),
        pytest.param(
            ["asks one waits", "waits fault asks", "waits one served"], id="faults come to an end"
        ),
    ],
)
def test_holds(run: Check, promise: Promise, ways: list[str]) -> None:
    """Whoever asks is served in every fair run."""
    found = only(run(walk(*ways), [promise(SERVED)]))
    assert (found.verdict, found.vacuous) == (Verdict.HOLDS, False)


@pytest.mark.parametrize(
    ("ways", "told"),
    [
        pytest.param(["asks one waits"], "asks waits", id="standstill"),
        pytest.param(["rests one asks"], "rests asks", id="standstill at once"),
        pytest.param(["asks fault served"], "asks", id="only the environment could serve"),
        pytest.param(["asks one asks"], ": asks asks", id="loop of one step"),
        pytest.param(
            ["rests one asks", "asks one rests"],
            "rests : asks rests asks",
            id="loop from the premise",
        ),
        pytest.param(
            ["asks one waits", "waits one looks", "looks one waits", "looks two served"],
            "asks : waits looks waits",
            id="a task that can act now and then need not",
        ),
        pytest.param(
            ["asks one served", "asks fault lost", "lost one lost"],
            "asks : lost lost",
            id="fault between premise and loop",
        ),
        pytest.param(
            ["asks one served", "asks fault waits", "waits one served", "waits fault lost"],
            "asks waits lost",
            id="faults between premise and standstill",
        ),
        pytest.param(
            ["rests one lost", "rests one calls", "calls one asks", "asks one lost"],
            "rests calls asks lost",
            id="a shorter way is free of the premise",
        ),
        pytest.param(
            [
                "asks one served",
                "served one lost",
                "asks one waits",
                "waits one looks",
                "looks one lost",
            ],
            "asks waits looks lost",
            id="a shorter way is by the goal",
        ),
        pytest.param(
            ["asks one served", "served one asks2", "asks2 one waits"],
            "asks served asks2 waits",
            id="served once, but not again",
        ),
        pytest.param(
            ["rests one asks", "asks one lost", "rests one sits", "sits one asks2"],
            "rests asks lost",
            id="of two standstills the first",
        ),
        pytest.param(
            ["asks one turns", "turns one turns", "asks one waits", "waits one lost"],
            "asks : turns turns",
            id="a loop is nearer than a standstill",
        ),
        pytest.param(
            ["asks one waits", "waits one turns", "turns one turns", "asks one lost"],
            "asks lost",
            id="a standstill is nearer than a loop",
        ),
        pytest.param(
            ["asks one turns", "turns one turns", "asks one lost"],
            "asks lost",
            id="a standstill is as near as a loop",
        ),
    ],
)  # fmt: skip - each graph on a line
def test_violated(run: Check, promise: Promise, ways: list[str], told: str) -> None:
    """Someone asks and is never served, and the story says so."""
    found = only(run(walk(*ways), [promise(SERVED)]))
    assert found.verdict is Verdict.VIOLATED
    assert found.trace is not None
    assert places(found.trace) == told
    assert found.trace.standstill is (":" not in told)


@pytest.mark.parametrize(
    "formula",
    [
        pytest.param(LeadsTo(AT, lambda _: False, lambda _: False), id="never"),
        pytest.param(LeadsTo(AT, lambda _: None, lambda _: False), id="nothing to say"),
        pytest.param(LeadsTo(AT, lambda at: at == "asks", lambda at: at == "asks"), id="at once"),
    ],
)
def test_vacuous(run: Check, promise: Promise, formula: LeadsTo) -> None:
    """A premise that never holds outside the goal proves little."""
    found = only(run(walk("asks one waits", "waits one asks"), [promise(formula)]))
    assert (found.verdict, found.vacuous) == (Verdict.HOLDS, True)


def test_fair_loop_by_the_goal_is_none(run: Check, promise: Promise) -> None:
    """A component that is fair as a whole need not be so without the goal, nor in one piece."""
    ways = [
        "asks one waits",
        "waits one asks",
        "waits two served",
        "served two asks",
        "asks two served",
    ]  # fmt: skip - a graph
    assert only(run(walk(*ways), [promise(SERVED)])).verdict is Verdict.HOLDS


def test_beside_convergence(run: Check, promise: Promise) -> None:
    """The steps of faults are kept for leads-to, and are no part of other properties' loops."""
    system = walk("asks one served", "served fault asks")
    served = promise(Converges(AT, lambda at: at == "served"))
    found = run(system, [promise(SERVED), served, promise(SERVED, "X-2")]).properties
    assert [result.verdict for result in found] == [Verdict.HOLDS] * 3
    assert not any(result.vacuous for result in found)


def test_reads(run: Check, promise: Promise) -> None:
    """A view may read a tally of a family: here of how many are up, after one was down."""

    def turn(pod: str) -> Iterator[Outcome]:
        if pod == "down":
            yield Outcome(Action("start"), {"pods": "up"})

    system = System(
        families=[Family("pods", ("up", "up"))],
        tallies=[Tally("up", {"pods": lambda pod: (int(pod == "up"),)}, 1)],
        rules=[
            Rule("start", "kubelet", ("pods",), turn),
            Rule(
                "stop",
                "fault",
                ("pods",),
                lambda pod: [Outcome(Action("stop"), {"pods": "down"})] if pod == "up" else [],
                environment=True,
            ),
        ],
    )
    view = View((), ("up",))
    back = LeadsTo(view, lambda up: up == (0,), lambda up: up == (2,))
    beyond = LeadsTo(view, lambda up: up == (1,), lambda up: up == (0,))
    first, second = run(system, [promise(back), promise(beyond)]).properties
    assert (first.verdict, first.vacuous) == (Verdict.HOLDS, False)
    assert second.trace is not None
    assert [step.outcome.action for step in second.trace.steps] == ["stop", "start"]


def test_families_are_refused(run: Check, promise: Promise) -> None:
    """Members have no identity, so nothing can lead from one to the same one."""
    system = System(families=[Family("pods", (0, 0))])
    wrong = promise(LeadsTo(View(("pods",)), bool, bool))
    for ask in (run, state_graph):
        with pytest.raises(ModelError, match='property "X-1" uses the family "pods"'):
            ask(system, [wrong])


def test_state_that_is_cut_is_no_standstill(run: Check, promise: Promise) -> None:
    """What is not left because of a bound may still be served."""
    near = Bound("near", AT, lambda at: at != "waits")
    found = only(run(walk("asks one waits", "waits one served", bounds=(near,)), [promise(SERVED)]))
    assert found.verdict is Verdict.INCONCLUSIVE
    lost = walk("asks one waits", "waits one served", "asks one lost", bounds=(near,))
    assert only(run(lost, [promise(SERVED)])).verdict is Verdict.VIOLATED


@pytest.mark.parametrize(("most", "verdict"), [(2, "inconclusive"), (3, "violated")])
def test_part_of_the_states(run: Check, promise: Promise, most: int, verdict: str) -> None:
    """A loop in a part is a loop; what was not left is no standstill."""
    system = walk("asks one turns", "turns one back", "back one turns", "back one far", "far one x")
    found = only(run(system, [promise(SERVED)], Limits(max_states=most)))
    assert found.verdict is Verdict.INCONCLUSIVE
    circle = walk("asks one turns", "turns one turns", "turns one back", "back one far")
    assert only(run(circle, [promise(SERVED)], Limits(max_states=most))).verdict == verdict


def test_faults_on_disk(promise: Promise, tmp_path: Path) -> None:
    """A search that goes on from a checkpoint knows the faults from before it was broken off."""
    kept, again = Checkpoints(tmp_path), Checkpoints(tmp_path, resume=True)
    ways = ["asks fault x1", "x1 fault x2", "x2 fault x3", "x3 fault lost"]
    lost = walk(*ways, *(f"{place} one served" for place in ("asks", "x1", "x2", "x3")))
    compiled.check(lost, [promise(SERVED)], Limits(max_states=4), checkpoints=kept)
    found = only(compiled.check(lost, [promise(SERVED)], checkpoints=again))
    assert found.trace is not None
    assert places(found.trace) == "asks x1 x2 x3 lost"


def run_along(system: System, way: list[str], loop_start: int | None = None) -> Trace:
    """The run of a walk to these places."""
    state, steps = system.initial, []
    for place in way:
        taken = next(step for step in system.successors(state) if step.state == (place,))
        steps.append(step_of(taken))
        state = taken.state
    return Trace(system.initial, tuple(steps), loop_start)


def test_what_refutes() -> None:
    """In plain semantics: due to the end, and an end that is a standstill or a fair loop."""
    system = walk(
        "rests one asks",
        "asks one waits",
        "waits one asks",
        "waits one served",
        "served one waits",
        "waits one lost",
        "rests one lost",
        "waits fault waits",
        "waits two waits",
    )  # fmt: skip - a graph
    assert refutes(system, SERVED, run_along(system, ["asks", "waits", "lost"]))
    assert not refutes(system, SERVED, run_along(system, ["lost"]))
    assert not refutes(system, SERVED, run_along(system, ["asks", "waits"]))
    assert not refutes(
        system, SERVED, run_along(system, ["asks", "waits", "served", "waits", "lost"])
    )
    assert refutes(system, SERVED, run_along(system, ["asks", "waits", "asks"], 1))
    served_in_it = ["asks", "waits", "served", "waits", "asks"]
    assert not refutes(system, SERVED, run_along(system, served_in_it, 1))
    assert not refutes(system, SERVED, run_along(system, ["asks", "waits", "served", "waits"], 2))
    assert not refutes(system, SERVED, run_along(system, ["asks", "waits", "asks", "waits"], 1))


def test_since_when_it_is_due() -> None:
    """The first time that the premise held since the goal was last reached."""
    system = walk("asks one asks")
    runs = {
        "asks waits asks": 0,
        "rests asks": 1,
        "asks served": None,
        "asks served rests": None,
        "asks served rests asks asks": 3,
        "": None,
    }  # fmt: skip - one after the other
    for way, since in runs.items():
        assert SERVED.due_since(system, [(place,) for place in way.split()]) == since


def test_graph_tells_the_goal(promise: Promise) -> None:
    """A state graph marks where the goal is reached, and blames no state."""
    graph = state_graph(walk("asks one served", "served one lost"), [promise(SERVED)])
    assert [graph.nodes[n]["reached"] for n in graph] == ["", "X-1", ""]
    assert not any(graph.nodes[n]["violates"] for n in graph)
    assert graph.graph["goals"] == "X-1"
