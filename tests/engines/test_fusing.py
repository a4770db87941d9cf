"""Fused steps: nobody minds when they come, and the answers are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from drawn_systems import die
from hypothesis import example, given, settings
from hypothesis import strategies as st
from things import statement, told

from kubelemma import api
from kubelemma.model.system import (
    Action,
    Best,
    Bound,
    Cell,
    Family,
    Outcome,
    Rule,
    System,
    Tally,
    View,
)
from kubelemma.properties.formula import (
    Always,
    Converges,
    EachStep,
    Formula,
    LeadsTo,
    NeverStuck,
)
from kubelemma.properties.statement import Property
from kubelemma.solver import compiled
from kubelemma.solver.explore import check
from kubelemma.solver.limits import UNLIMITED, Limits
from kubelemma.solver.reductions import fused_search
from kubelemma.solver.reductions.fusing import Fused
from kubelemma.solver.reductions.reducing import reduced
from kubelemma.solver.replay import refutes
from kubelemma.solver.result import CheckResult, Verdict

# Systems of few small values, most of whose rules have little to do with each other


class Box(NamedTuple):
    """A member of a family."""

    left: int
    right: int


SIZE = 3
"""How many values there are."""
CELLS = ("a", "b", "c", "d", "e")
COLUMNS = ("boxes.left", "boxes.right")
NAMES = (*CELLS, *COLUMNS)
TALLIES = ("count", "sum")
BESTS = ("first",)
ACTIONS = tuple(map(Action, ("go", "turn", "jump")))


class Sketch(NamedTuple):
    """A rule as it is drawn: what it sees and reads, how often it acts, and as who."""

    cells: tuple[str, ...]
    reads: tuple[str, ...]
    kind: str
    sides: int
    upward: bool
    task: str


class Drawn(NamedTuple):
    """A system as it is drawn, and what is asked of it."""

    seed: int
    boxes: int
    rules: tuple[Sketch, ...]
    counted: tuple[str, ...]
    ranked: tuple[str, ...]
    views: tuple[View, ...]
    starts: int
    bounded: bool


def act(seed: object, sketch: Sketch, *seen: Any) -> Iterator[Outcome]:
    """Whatever the dice say of what is seen."""
    urgent = sketch.kind == "urgent"
    for number in range(2 if die(seed, "several") % 4 == 0 else 1):
        case = (seed, seen, number)
        if die(case) % sketch.sides or (urgent and seen[0] == SIZE - 1):
            continue
        writes = {
            name: min(value + 1, SIZE - 1) if sketch.upward or urgent else die(case, name) % SIZE
            for name, value in zip(sketch.cells, seen, strict=False)
            if (urgent and name == sketch.cells[0]) or die(case, name, "writes") % 3
        }
        yield Outcome(ACTIONS[die(seed, "action", number) % len(ACTIONS)], writes)


def rule_of(seed: object, number: int, sketch: Sketch) -> Rule:
    """A rule as it is sketched."""
    return Rule(
        f"rule {number}",
        f"actor {number}",
        sketch.cells,
        partial(act, (seed, number), sketch),
        sketch.reads,
        environment=sketch.kind == "environment",
        task=f"urgent {number}" if sketch.kind == "urgent" else sketch.task,
        urgent=sketch.kind == "urgent",
    )


def measure(seed: object, *seen: int) -> tuple[int]:
    """A small number, often nothing."""
    return (max(die(seed, seen) % 4 - 1, 0),)


def score(seed: object, value: int, *reads: Any) -> int | None:
    """A small number, or none."""
    return (None, 0, 1)[die(seed, value, reads) % 3]


def system_of(found: Drawn) -> System:
    """The system that is drawn."""
    seed = found.seed
    families = [Family("boxes", tuple(Box(0, 0) for _ in range(found.boxes)), Box)]
    names = NAMES if found.boxes else CELLS
    counted = [name for name in found.counted if name in names] or ["a"]
    ranked = [name for name in found.ranked if name in names] or ["a"]
    return System(
        cells=[Cell(name, 0, int) for name in CELLS],
        families=families if found.boxes else [],
        tallies=[
            Tally("count", {name: partial(measure, (seed, name)) for name in counted}, 1),
            Tally(
                "sum",
                {name: partial(measure, (seed, name, 2)) for name in counted[:1]},
                1,
                lambda total: total[0] % 2,
            ),
        ],
        bests=[Best("first", {n: partial(score, (seed, n)) for n in ranked}, ("sum",))],
        rules=[rule_of(seed, number, sketch) for number, sketch in enumerate(found.rules)],
        bounds=[Bound("few", View(reads=("count",)), lambda count: count[0] < 4)]
        if found.bounded
        else [],
        others=[
            (
                *(die(seed, i, name) % SIZE for name in CELLS),
                *(Box(die(seed, i, n) % SIZE, 0) for n in range(found.boxes)),
            )
            for i in range(found.starts)
        ],
    )


def answer(seed: object, sides: int, *seen: Any) -> bool | None:
    """Seldom false, sometimes nothing."""
    return (False, None)[die(seed, seen, "which") % 2] if not die(seed, seen) % sides else True


def goal(seed: object, sides: int, *seen: Any) -> bool:
    """Seldom false."""
    return bool(die(seed, seen) % sides)


def properties_of(found: Drawn) -> tuple[Property, ...]:
    """What is asked."""
    seed = found.seed
    makers: tuple[Callable[[int, View], Formula], ...] = (
        lambda i, view: Always(view, partial(answer, (seed, i), 6)),
        lambda i, view: EachStep(
            view, partial(answer, (seed, i), 12), frozenset({ACTIONS[i % len(ACTIONS)]})
        ),
        lambda i, view: NeverStuck(view, partial(goal, (seed, i), 3)),
        lambda i, view: Converges(view, partial(goal, (seed, i), 4)),
    )
    return tuple(
        Property(statement(f"P{i}"), "system", makers[die(seed, "formula", i) % 4](i, view))
        for i, view in enumerate(found.views)
    )


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    """A few cells and boxes, and rules that see one or two of them."""
    boxes = draw(st.sampled_from((0, 1, 1, 2)))
    names = NAMES if boxes else CELLS

    def some(of: tuple[str, ...], least: int, most: int) -> tuple[str, ...]:
        return tuple(
            draw(st.lists(st.sampled_from(of), min_size=least, max_size=most, unique=True))
        )

    upward = draw(st.booleans())
    rules = tuple(
        Sketch(
            some(names, 1, 2),
            some((*TALLIES, *BESTS), 0, 1) if draw(st.integers(0, 3)) == 0 else (),
            draw(st.sampled_from(("", "", "", "", "environment", "urgent"))),
            draw(st.integers(2, 4)),
            upward or draw(st.booleans()),
            draw(st.sampled_from(("", "", "shared"))),
        )
        for _ in range(draw(st.integers(3, 6)))
    )
    views = tuple(
        View(some(names, 0, 1), some((*TALLIES, *BESTS), 0, 1))
        for _ in range(draw(st.integers(1, 2)))
    )
    return Drawn(
        draw(st.integers(0, 2**32)),
        boxes,
        rules,
        some(names, 1, 2),
        some(names, 1, 2),
        views,
        draw(st.sampled_from((0, 0, 1, 2))),
        bounded=draw(st.integers(0, 5)) == 0,
    )


def by_fusion(system: System, properties: tuple[Property, ...], engine: Any = check) -> CheckResult:
    """The answers by way of a fused system, however small it is."""
    return reduced(engine, system, properties, UNLIMITED, lambda _: None, ("pooling",), 0, 0)


def is_fused(found: CheckResult) -> bool:
    """Whether something was fused."""
    return any(each.name == "fusion" and each.used for each in found.statistics.reductions)


# What the starts teach of the few who are taken to be movers in the end.
LATE = Drawn(
    seed=0,
    boxes=0,
    rules=tuple(
        Sketch((name,), (), "", sides, upward=True, task="")
        for name, sides in (("a", 2), ("a", 2), ("c", 2), ("c", 3))
    ),
    counted=("a",),
    ranked=("a",),
    views=(View(),),
    starts=0,
    bounded=True,
)


@settings(max_examples=150, deadline=None)
@example(LATE)
@given(drawn())
def test_answers_are_those_of_the_whole(found: Drawn) -> None:
    """Verdicts, vacuity, and lengths of counterexamples."""
    system, properties = system_of(found), properties_of(found)
    exact, small = check(system, properties), by_fusion(system, properties)
    assert is_fused(small) or small.statistics.states == exact.statistics.states
    if not found.bounded:
        said = [(*told(each), each.vacuous) for each in small.properties]
        assert said == [(*told(each), each.vacuous) for each in exact.properties]
        return
    # A bound may cut off states that are not searched: then more is decided, and as it is.
    whole = check(system_of(found._replace(bounded=False)), properties)
    for mine, its, real in zip(small.properties, exact.properties, whole.properties, strict=True):
        assert mine.verdict in {its.verdict, real.verdict}


# What it rests on


GO, DONE, TICK = map(Action, ("go on", "be done", "tick"))
LEFT = 2


def counting(name: str, task: Action, *, least: int = 0) -> Any:
    """Outcomes that count a cell down."""

    def outcomes(left: int) -> Iterator[Outcome]:
        if left > least:
            yield Outcome(task, {name: left - 1})

    return outcomes


def sent(left: int, open_: int) -> Iterator[Outcome]:
    """Somebody leaves work for another one, who has none."""
    if left and not open_:
        yield Outcome(GO, {"left": left - 1, "open": 1})


def working(
    *others: Rule, tallies: tuple[Tally, ...] = (), done: Rule | None = None, cells: int = 0
) -> System:
    """Work that is left to somebody, who does it at some time or other; and a clock."""
    ticking = Rule("tick", "clock", ("clock",), counting("clock", TICK))
    return System(
        cells=[
            Cell("left", LEFT, int),
            Cell("open", 0, int),
            Cell("clock", 3, int),
            *(Cell(f"more {i}", 0, int) for i in range(cells)),
        ],
        tallies=[Tally("opened", {"open": lambda n: (n,)}, 1), *tallies],
        rules=[
            Rule("send", "sender", ("left", "open"), sent),
            done or Rule("work", "worker", ("open",), counting("open", DONE)),
            ticking,
            *others,
        ],
    )


def asked(formula: Formula) -> tuple[Property, ...]:
    """One property."""
    return (Property(statement("P"), "work", formula),)


CLOCK = Always(View(("clock",)), lambda clock: clock >= 0)


def agreed(system: System, properties: tuple[Property, ...]) -> CheckResult:
    """What comes out by fusion, which is what comes out without."""
    exact, small = check(system, properties), by_fusion(system, properties)
    said = [(*told(each), each.vacuous) for each in small.properties]
    assert said == [(*told(each), each.vacuous) for each in exact.properties]
    if is_fused(small):
        assert small.statistics.states < exact.statistics.states
    return small


def fused_by(found: CheckResult) -> str:
    """What is said to be fused; empty if nothing is."""
    return " ".join(n.why for n in found.statistics.reductions if n.name == "fusion" and n.used)


def fused_in(fused: Fused | None) -> Mapping[str, int]:
    """The movers that have something to do."""
    return {} if fused is None else fused.fused()


def why_not(system: System, properties: tuple[Property, ...], rule: str = "work") -> str:
    """Why a rule is no mover; the answers are those without fusion all the same."""
    assert f'"{rule}"' not in fused_by(agreed(system, properties))
    learning = fused_search.Learning(system, properties)
    learning.first()
    return dict(learning.learned.refused)[rule]


def test_what_nobody_minds_is_fused() -> None:
    """Work is done as soon as it is left, and the clock has nothing to do with it."""
    found = agreed(working(), asked(CLOCK))
    (reduction,) = (each for each in found.statistics.reductions if each.name == "fusion")
    assert reduction.used
    assert '"work" (1)' in reduction.why
    assert "work" not in found.statistics.rules_never_fired


@pytest.mark.parametrize(
    "formula",
    [
        Always(View(("open",)), lambda n: n < 1),
        Always(View(reads=("opened",)), lambda n: n[0] < 1),
        EachStep(View(("clock",)), lambda *_: False, frozenset({DONE})),
        EachStep(View(("left",)), lambda *_: None, frozenset({DONE})),
    ],
)
def test_what_is_asked_about_is_not_fused(formula: Formula) -> None:
    """Neither what a property looks at, nor the step that it is about."""
    assert '"work"' not in fused_by(agreed(working(), asked(formula)))


def looking(*seen: Any) -> Iterator[Outcome]:
    """Somebody acts while there is work, and is one behind."""
    *_, more, opened = seen
    if opened[0] > 0 and more < 1:
        yield Outcome(GO, {"more 0": more + 1})


def test_who_counts_it_keeps_it_from_being_fused() -> None:
    """A tally that it changes is read by somebody who may act."""
    counter = Rule("count", "counter", ("more 0",), looking, ("opened",))
    formula = Always(View(("more 0",)), lambda more: more < 1)
    assert '"count" may come in between' in why_not(working(counter, cells=1), asked(formula))


def test_who_is_kept_from_acting_may_count_it() -> None:
    """One that does not look as long as there is work cannot tell when it is done."""

    def idle(open_: int, more: int, opened: tuple[int, ...]) -> Iterator[Outcome]:
        if not open_ and not more and not opened[0]:
            yield Outcome(GO, {"more 0": 1})

    counter = Rule("count", "counter", ("open", "more 0"), idle, ("opened",), writes=("more 0",))
    assert is_fused(agreed(working(counter, cells=1), asked(CLOCK)))


def test_what_goes_round_is_not_fused() -> None:
    """Movers have to come to an end."""

    def turn(open_: int) -> Iterator[Outcome]:
        if open_:
            yield Outcome(DONE, {"open": 3 - open_})

    turning = Rule("work", "worker", ("open",), turn)
    assert "goes round and round" in why_not(working(done=turning), asked(CLOCK))
    both = asked(CLOCK) + asked(Converges(View(("left",)), lambda left: left == LEFT))
    agreed(working(done=turning), both)


def test_what_a_fault_ends_is_not_fused() -> None:
    """The environment may take away the work, and then somebody sees it."""

    def lose(open_: int, lost: int) -> Iterator[Outcome]:
        if open_ and not lost:
            yield Outcome(GO, {"open": open_ - 1, "more 0": 1})

    fault = Rule("lose", "fault", ("open", "more 0"), lose, environment=True)
    formula = Always(View(("more 0",)), lambda lost: not lost)
    assert '"lose" may come in between' in why_not(working(fault, cells=1), asked(formula))


def test_who_comes_up_late_is_heard() -> None:
    """Who minds may do so only much later; then the search begins anew."""

    def late(open_: int, clock: int, more: int) -> Iterator[Outcome]:
        if open_ and not clock and not more:
            yield Outcome(GO, {"more 0": 1})

    rule = Rule("late", "minder", ("open", "clock", "more 0"), late, writes=("more 0",))
    formula = Always(View(("more 0", "left", "clock")), lambda more, *_: not more)
    system = working(rule, cells=1)
    with patch.object(fused_search, "LEARNING", 4):
        learning = fused_search.Learning(system, asked(formula))
        assert "work" in fused_in(learning.first())
        found = agreed(system, asked(formula))
    assert found.properties[0].verdict is Verdict.VIOLATED
    assert '"work"' not in fused_by(found)


def test_who_would_meet_it_where_nobody_looked_is_found() -> None:
    """What may become of it in the meantime is asked as well: that is in no fused state."""

    def twist(open_: int) -> Iterator[Outcome]:
        if open_ == 1:
            yield Outcome(GO, {"open": 5})

    def mind(open_: int, more: int) -> Iterator[Outcome]:
        if open_ == 5 and not more:
            yield Outcome(GO, {"more 0": 1})

    rules = (
        Rule("twist", "twister", ("open",), twist),
        Rule("mind", "minder", ("open", "more 0"), mind, writes=("more 0",)),
    )
    formula = Always(View(("more 0",)), lambda more: not more)
    found = agreed(working(*rules, cells=1), asked(formula))
    assert found.properties[0].verdict is Verdict.VIOLATED


def test_a_best_that_is_another_keeps_it_from_being_fused() -> None:
    """Who is chosen may depend on who has been dealt with."""

    def pick(more: int, first: int | None) -> Iterator[Outcome]:
        if first and not more:
            yield Outcome(GO, {"more 0": first})

    base = working(Rule("send more", "x", ("more 0",), lambda _: iter(())), cells=1)
    system = System(
        cells=base.cells,
        tallies=base.tallies,
        bests=[Best("first", {"open": lambda n: n or None})],
        rules=[*base.rules, Rule("pick", "picker", ("more 0",), pick, ("first",))],
    )
    formula = Always(View(("more 0",)), lambda more: more < LEFT)
    assert '"first" is another before' in why_not(system, asked(formula))


@pytest.mark.parametrize("done", ["left", "open", "both"])
def test_goals_are_told_alike(done: str) -> None:
    """What a goal looks at may be fused, if it is left before or after as well."""
    view = View(("left", "open") if done == "both" else (done,))
    goals = (Converges(view, lambda *n: not any(n)), NeverStuck(view, lambda *n: not any(n)))
    for goal_ in goals:
        agreed(working(), asked(goal_))


def again(open_: int, _: int) -> Iterator[Outcome]:
    """Work comes whenever there is none, of one kind or another."""
    if not open_:
        yield from (Outcome(GO, {"open": 1, "more 0": kind}) for kind in (0, 1))


AGAIN = Rule("again", "boss", ("open", "more 0"), again)


def test_a_loop_that_is_outside_only_in_between_is_found() -> None:
    """Work comes again and again: the goal is left only as long as it is not done."""
    goal_ = Converges(View(("open",)), lambda n: not n)
    found = agreed(working(AGAIN, cells=1), asked(goal_))
    assert '"work"' in fused_by(found)
    assert found.properties[0].verdict is Verdict.VIOLATED


def test_a_loop_that_is_not_fair_is_none() -> None:
    """In a fused system every loop counts; what is found there is asked of the system."""

    def spin(clock: int, more: int) -> Iterator[Outcome]:
        if clock:
            yield Outcome(GO, {"more 0": 1 - more})

    spinner = Rule("spin", "spinner", ("clock", "more 0"), spin, writes=("more 0",))
    goal_ = Converges(View(("clock",)), lambda clock: not clock)
    found = agreed(working(spinner, cells=1), asked(goal_))
    assert found.properties[0].verdict is Verdict.HOLDS
    assert is_fused(found)


def test_what_leads_to_what_is_asked_without() -> None:
    """Between a premise and its goal each step may count."""
    formula = LeadsTo(View(("left",)), lambda left: left > 0, lambda left: not left)
    found = by_fusion(working(), asked(formula))
    (note,) = (each for each in found.statistics.reductions if each.name == "fusion")
    assert not note.used
    assert "asked step by step" in note.why


def test_a_story_that_is_too_long_to_find_is_told_unfused() -> None:
    """Where limits keep a search from the shortest story, the one that was found is told."""
    formula = Always(View(("clock",)), lambda clock: clock > 0)
    system, properties = working(), asked(formula)
    fused = fused_search.Learning(system, properties).first()
    assert fused is not None
    found = check(fused.system, properties).properties[0]
    assert found.trace is not None
    trace = fused_search.unfused(fused, properties[0], found.trace)
    assert trace is not None
    assert refutes(system, formula, trace)

    def limited(whole: System, *rest: Any, certified: bool) -> CheckResult:
        limits = Limits(max_states=2) if whole is system else rest[1]
        return check(whole, rest[0], limits, rest[2], certified=certified)

    result = by_fusion(system, properties, limited)
    story = result.properties[0].trace
    exact = check(system, properties).properties[0].trace
    assert story is not None
    assert exact is not None
    assert len(story.steps) == len(exact.steps)
    assert "a shortest story was not found" in fused_by(result)


# Deployments


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: i, resources: {requests: {cpu: 100m}}}]}
"""


@pytest.mark.parametrize("without", [(), ("pooling",)])
@pytest.mark.parametrize("second", ["node-crash=1", "scale=web:2"])
def test_deployments_are_told_alike(second: str, without: tuple[str, ...]) -> None:
    """What kubelets, schedulers and controllers do at once is told by nobody's verdict."""
    nodes = ("count=3,cpu=64,memory=64Gi",) if not without else ("count=2,cpu=64,memory=64Gi",)
    question = api.Question(
        paths=(api.STDIN,), stdin=DEPLOYMENT, events=("rollout=web", second), nodes=nodes
    )
    (case,) = api.ask(question).cases
    system, properties = case.scenario.system, case.properties
    asked_ = (system, properties, UNLIMITED, lambda _: None)
    exact = reduced(compiled.best, *asked_, ("fusion", *without), 0)
    # What violates nothing is settled in the first states, and makes nobody's step be seen.
    small = reduced(compiled.best, *asked_, without, 0, 500)
    assert is_fused(small)
    assert small.statistics.states < exact.statistics.states
    said = [(*told(each), each.vacuous) for each in small.properties]
    assert said == [(*told(each), each.vacuous) for each in exact.properties]
    assert small.statistics.rules_never_fired == exact.statistics.rules_never_fired
