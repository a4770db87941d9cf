"""Which states the model may be in, followed from write to write."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import NamedTuple, TypeAlias

from kubelemma.model.components.drain.rules import DRAIN
from kubelemma.model.system import Outcome, State, System, Transition

from .observation import ACTORS, WILFUL, Lens
from .seen import Seen

States: TypeAlias = frozenset[State]

MOST = 5000
"""How many states are followed at once."""
IN_ONE_WRITE = 3
"""How many steps of the model a kubelet may report in one write: it sums up what has happened."""


class TooMany(Exception):
    """There are more states than are followed."""


class Step(NamedTuple):
    """A step that is visible, and what is observed after it."""

    transition: Transition
    seen: Seen


class Steps:
    """The steps of one system; what each state may do is computed once."""

    def __init__(self, lens: Lens) -> None:
        self.lens = lens
        self._alone = _without_events(lens.built.system)
        self._asking = _only_asking(lens.built.system)
        self._known: dict[State, tuple[tuple[State, ...], tuple[Transition, ...]]] = {}

    def closure(self, states: Iterable[State]) -> States:
        """The states, and those that come of them by steps that nobody can see.

        Raises:
            TooMany: they are more than are followed.
        """
        found = set(states)
        left = list(found)
        while left:
            for after in self._moves(left.pop())[0]:
                if after not in found:
                    found.add(after)
                    left.append(after)
            if len(found) > MOST:
                raise TooMany
        return frozenset(found)

    def visible(self, state: State, actor: str | None) -> Iterator[Step]:
        """What an actor may do that can be seen; whoever it be, if the actor is not known.

        Whom users want evicted is theirs to say: any pod, at any time.
        """
        actors = ACTORS.get(actor) if actor is not None else None
        wanted = self._wanted(state) if actor in WILFUL else ()
        for transition in (*self._moves(state)[1], *wanted):
            if actors is None or transition.rule.actor in actors:
                yield Step(transition, self.lens.seen(transition.state))

    def towards(self, states: States, actor: str | None, wanted: Seen) -> States:
        """The states after a visible step of the actor, out of a closure, to what is wanted."""
        found = {
            step.transition.state
            for state in states
            for step in self.visible(state, actor)
            if step.seen == wanted
        }
        if not found and actor == "kubelet":
            found = self._summed_up(states, wanted)
        return frozenset(found)

    def _summed_up(self, states: States, wanted: Seen) -> set[State]:
        """After several steps of kubelets, none of which was written by itself."""
        layer = set(states)
        for _ in range(IN_ONE_WRITE):
            layer = {
                step.transition.state
                for state in layer
                for step in self.visible(state, "kubelet")
                if _nearer(step.seen, self.lens.seen(state), wanted)
            }
            found = {state for state in layer if self.lens.seen(state) == wanted}
            if found:
                return found
        return set()

    def by_events(self, states: States, actions: frozenset[str], wanted: Seen) -> States:
        """The states after one of the events to what is wanted."""
        return frozenset(
            self.lens.settled(transition.state)
            for state in states
            for transition in self.lens.built.system.successors(state)
            if transition.rule.environment
            and transition.outcome.action in actions
            and self.lens.seen(transition.state) == wanted
        )

    def _moves(self, state: State) -> tuple[tuple[State, ...], tuple[Transition, ...]]:
        """What may come of a state unseen, and the steps that can be seen."""
        known = self._known.get(state)
        if known is None:
            hidden: list[State] = []
            visible: list[Transition] = []
            for step in self._alone.successors(state):
                transition = step._replace(state=self.lens.told_apart(step.state))
                if self._shows(state, transition):
                    visible.append(transition)
                elif transition.state != state:
                    hidden.append(transition.state)
            known = self._known[state] = (tuple(dict.fromkeys(hidden)), tuple(visible))
        return known

    def _wanted(self, state: State) -> tuple[Transition, ...]:
        """The steps of the evictions that somebody may want, which can all be seen."""
        lens = self.lens
        return tuple(
            step._replace(state=lens.told_apart(lens.unlisted(step.state)))
            for step in self._asking.successors(lens.listed(state))
            if self._shows(state, step)
        )

    def _shows(self, state: State, transition: Transition) -> bool:
        lens = self.lens
        return any(
            lens.part(p, state[p]) != lens.part(p, transition.state[p])
            for p in transition.positions
            if p in lens.parts
        )


def _nearer(seen: Seen, before: Seen, wanted: Seen) -> bool:
    """Whether only parts have changed that have to."""
    return all(
        part == before[name] or part != before[name] != wanted[name] for name, part in seen.items()
    )


def _without_events(system: System) -> System:
    """The system when users and faults do nothing, nor whoever wants pods evicted.

    What its functions answer is remembered.
    """
    return System(
        cells=system.cells,
        families=system.families,
        tallies=[
            replace(tally, measures={name: cache(f) for name, f in tally.measures.items()})
            for tally in system.tallies
        ],
        bests=[
            replace(best, scores={name: cache(f) for name, f in best.scores.items()})
            for best in system.bests
        ],
        rules=[
            replace(rule, outcomes=_remembered(rule.outcomes))
            for rule in system.rules
            if not rule.environment and rule.actor != DRAIN
        ],
    )


def _only_asking(system: System) -> System:
    """The system when nobody but those who want pods evicted does anything."""
    return System(
        cells=system.cells,
        families=system.families,
        rules=[rule for rule in system.rules if rule.actor == DRAIN and not rule.environment],
    )


def _remembered(outcomes: Callable[..., Iterable[Outcome]]) -> Callable[..., tuple[Outcome, ...]]:
    @cache
    def remembered(*seen: Hashable) -> tuple[Outcome, ...]:
        return tuple(outcomes(*seen))

    return remembered
