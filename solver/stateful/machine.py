"""A system as a rule-based state machine of Hypothesis.

A run is a sequence of `SystemMachine.proceed`: the environment acts, or not, and controllers take
some steps. Who acts is drawn as a *choice*, a byte that stands for an order of preference among the
rules of the model: of those that can act, the most preferred does. So a choice keeps its meaning
when Hypothesis leaves out steps before it, which is what makes stories shrink; and 0, the simplest,
prefers rules in the order in which the model declares them. Many choices are drawn at once, as
bytes, because each draw of Hypothesis takes as long as several steps.

Subclass it with a system to have a machine that can be run, or used as a test::

    class Web(SystemMachine, system=system, properties=properties):
        @rule()
        def look(self):
            assert self.state ...

    TestWeb = Web.TestCase

It fails with `PropertyViolated` where a run violates one of the properties.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.strategies import SearchStrategy

from kubelemma.model.system import State, System
from kubelemma.properties.statement import Property
from kubelemma.solver.replay import CanonicalStep

from .beginnings import retraced, started
from .places import Places, Way
from .walk import Story, Walk

PICKS = 12
"""How many choices there are with one order: equally many for each of two, three or four ways."""

ORDERS = 256 // PICKS
"""How many orders of preference among the rules of a system a run knows."""

EVENTS = st.binary(max_size=1)
"""What the environment does at one time: one choice for each byte, often none."""

STRETCHES = st.binary(max_size=20) | st.binary(min_size=8, max_size=32)
"""What controllers do between such times, one choice for each byte: often little, often a lot."""

PACES = (32, 12, 4, 1)
"""The most steps of controllers from one such time to the next, of which each run has one."""

REACH = 40
"""The most steps that a run goes on from a beginning that it was given, until it settles."""

SETTLING_STEPS = 1000
"""After so many steps in turn, controllers that neither stop nor come round are left alone."""


class PropertyViolated(AssertionError):
    """A run violates a property; ``property`` and ``story`` say which, and how."""

    def __init__(self, violated: Property, story: Story) -> None:
        super().__init__(
            f"{violated.id} of {violated.subject}: {violated.statement.title} "
            f"(violated after {len(story.ways)} steps)"
        )
        self.property = violated
        self.story = story


class SystemMachine(RuleBasedStateMachine):
    """A run of a system. Name the system, and properties to watch, when subclassing it.

    Override `found` to do something else about a violation than to fail, `stepped` to be told of
    each step, `can_act` to keep rules of the model from acting. The run is in ``walk``; `state`,
    `summary` and `steps` tell where it is, and `take` takes a step of one's own choice. The class
    has ``places``, all that its runs have seen, and ``max_steps``, the most that a run takes before
    it settles.
    """

    places: ClassVar[Places]
    max_steps: ClassVar[int] = 1000

    def __init_subclass__(
        cls,
        *,
        system: System | None = None,
        properties: Sequence[Property] = (),
        places: Places | None = None,
        **given: Any,
    ) -> None:
        """Raises `ModelError` where a property looks at what the system does not declare."""
        super().__init_subclass__(**given)
        if places is not None:
            cls.places = places
        elif system is not None:
            cls.places = Places(system, properties)

    def __init__(self) -> None:
        super().__init__()
        self.walk = Walk(self.places)
        self._shuffle, self._pace = 0, PACES[0]
        self._most = self.max_steps
        self._over = False

    # Hooks

    def found(self, stories: tuple[Story, ...]) -> None:
        """Something is violated, by one story or several that end here: fail.

        Raises:
            PropertyViolated: always, unless overridden.
        """
        raise PropertyViolated(self.places.properties[stories[0].number], stories[0])

    def begun(self) -> None:
        """The run begins in another start than the first. Does nothing unless overridden."""

    def stepped(self, way: Way) -> None:
        """A step was taken; ``walk`` is where it led. Does nothing unless overridden."""

    def can_act(self, rule_name: str) -> bool:  # noqa: ARG002 - for subclasses
        """Whether a rule of the model may act, if it can. All may unless overridden.

        One that may not is as if it were slow: the run is still judged as if it could act.
        """
        return True

    def beginnings(self) -> SearchStrategy[bytes]:
        """What the run begins with: nothing, unless overridden. See `Beginnings`."""
        return st.just(b"")

    # Where the run is

    @property
    def state(self) -> State:
        """The state, with the members of each family in a fixed order."""
        return self.places.state(self.walk.place)

    @property
    def summary(self) -> dict[str, Any]:
        """What every tally and best comes to in this state, by name."""
        return dict(self.places.system.summary(self.state))

    @property
    def steps(self) -> list[CanonicalStep]:
        """The steps of the run so far, as `kubelemma.solver.replay` takes them."""
        return [
            self.places.step(way, place)
            for way, place in zip(self.walk.ways, self.walk.places[1:], strict=True)
        ]

    def ways(self, *, environment: bool) -> dict[str, tuple[Way, ...]]:
        """The steps that may be taken, by rule: of users and faults, or of controllers."""
        return {
            name: found
            for name, found in self.walk.place.ways.items()
            if found[0].move.rule.environment is environment and self.can_act(name)
        }

    # What a run is made of

    def take(self, way: Way) -> None:
        """Take one step, which must be one of `ways`.

        Raises:
            PropertyViolated: it completes a violation.
        """
        self._over = True  # as it stays if an exception leaves the run here
        stories = self.walk.take(way)
        self.stepped(way)
        if stories:
            self.found(stories)
        self._over = False

    @initialize(
        beginning=st.runner().flatmap(lambda machine: machine.beginnings()),
        shuffle=st.integers(0, 2**16),
        pace=st.integers(0, len(PACES) - 1),
    )
    def begin(self, beginning: bytes, shuffle: int, pace: int) -> None:
        """Take the first steps, and know from then on which orders of preference there are.

        ``pace`` says how soon the environment acts again.
        """
        self._shuffle, self._pace = shuffle, PACES[pace]
        start, steps = started(self.places, beginning, shuffle)
        if start is not self.walk.place:
            self.walk = Walk(self.places, start)
            self.begun()
        for way in retraced(self.walk, steps):
            self.take(way)
        if beginning:
            self._most = min(self.max_steps, len(self.walk.ways) + REACH)

    @rule(choices=STRETCHES, events=EVENTS)
    def proceed(self, choices: bytes, events: bytes) -> None:
        """The environment acts once for each event, then controllers take some steps.

        Who cannot act is passed over: where nobody can, nothing happens.
        """
        for event in events:
            self._act(event, environment=True)
        for choice in choices[: self._pace]:
            if not self._act(choice, environment=False):
                break

    @invariant()
    def initially(self) -> None:
        """The initial state violates nothing; later ones are asked about in each step."""
        if not self.walk.ways:
            stories = self.walk.first()
            if stories:
                self._over = True
                self.found(stories)
                self._over = False

    def teardown(self) -> None:
        """The environment stops, and controllers act in turn until they stop or come round."""
        if not self._over:
            self.settle()

    def settle(self) -> None:
        """Let controllers act, who waited longest first, until nobody can or all comes round.

        Raises:
            PropertyViolated: they stop outside a goal, or go round without it for ever.
        """
        acted: dict[str, int] = {}
        for number in range(SETTLING_STEPS):
            waiting = self.ways(environment=False)
            if not waiting or self.walk.came_round():
                return
            tasks = {name: ways[0].move.rule.fairness for name, ways in waiting.items()}
            name = min(waiting, key=lambda each: acted.get(tasks[each], -1))
            acted[tasks[name]] = number
            self.take(waiting[name][number % len(waiting[name])])

    def _act(self, choice: int, *, environment: bool) -> bool:
        """Take the step that is preferred, if one may be taken."""
        ways = self.ways(environment=environment)
        if not ways or len(self.walk.ways) >= self._most:
            return False
        order, pick = choice % ORDERS, choice // ORDERS
        rank = preference(self.places.rules, order and order + ORDERS * self._shuffle)
        found = ways[min(ways, key=rank.__getitem__)]
        self.take(found[pick % len(found)])
        return True


@lru_cache(maxsize=10 * ORDERS)
def preference(rules: tuple[str, ...], order: int) -> dict[str, int]:
    """The place of each rule in an order of preference; in order 0 they are as declared."""
    names = list(rules)
    if order:
        Random(order).shuffle(names)  # noqa: S311 - to try this and that, not a secret
    return {name: place for place, name in enumerate(names)}
