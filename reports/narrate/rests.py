"""On which earlier steps a step rests: who wrote what it read, and what it did not see.

Nobody has to say so for a component. What the actor of a step had read is asked of earlier states
as well, as if it had acted then: the step after which the answer has been the same is the one that
the read rests on. What made a step possible is found in the same way from its rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from kubelemma.model.system import Rule
from kubelemma.reports.story import Fact, Missed

from .reasons import facts, unseen
from .scene import Scene, Seen


class Told(NamedTuple):
    """A step that was told: its scene, what it had read, and what made it possible."""

    scene: Scene
    facts: tuple[Fact, ...]
    follows: int


def told(scene: Scene, earlier: Sequence[Seen]) -> Told:
    """What a step rests on.

    Args:
        scene: the step.
        earlier: the states from the first one to that in which it was taken.
    """
    if scene.step.environment:
        return Told(scene, (), 0)
    return Told(scene, tuple(_dated(scene, earlier)), _possible_since(scene, earlier))


def missed(steps: Sequence[Told], earlier: Sequence[Seen]) -> tuple[Missed, ...]:
    """What makes the last of these steps one that rests on an older state.

    Either what it went by was out of date, or its actor had read in an earlier step, and somebody
    else has changed since what it had read there.
    """
    last = steps[-1]
    if last.scene.step.environment:
        return ()
    return tuple(dict.fromkeys((*_unseen(last.scene, earlier), *_aged(steps, earlier))))


def _unseen(scene: Scene, earlier: Sequence[Seen]) -> Iterator[Missed]:
    """What its teller says that it did not see, and since when it says so."""

    def says(words: str, seen: Seen) -> bool:
        return words in unseen(replace(scene, before=seen))

    for words in unseen(scene):
        yield Missed(_since(earlier, partial(says, words)), words)


def _aged(steps: Sequence[Told], earlier: Sequence[Seen]) -> Iterator[Missed]:
    """What its actor had read before it came to write, and others have changed since."""
    last = steps[-1]
    if not last.follows or not last.scene.step.outcome.writes:
        return
    source = steps[last.follows - 1]
    if source.scene.step.actor != last.scene.step.actor:
        return
    for fact in source.facts:
        now, step = _became(source.scene, fact.name, steps, earlier)
        if step > last.follows and now not in ("", fact.value):
            words = f"{fact.name} was {fact.value} when it read that in step {last.follows}"
            yield Missed(step, f"{words}, and is {now} now")


def _became(
    source: Scene, name: str, steps: Sequence[Told], earlier: Sequence[Seen]
) -> tuple[str, int]:
    """What has become of something that was read, empty where it is gone; and after which step.

    That is 0 where it was the actor itself.
    """

    def value(seen: Seen) -> str:
        found = facts(replace(source, before=seen))
        return next((fact.value for fact in found if fact.name == name), "")

    now = value(earlier[-1])
    step = _since(earlier, lambda seen: value(seen) == now)
    own = not step or steps[step - 1].scene.step.actor == source.step.actor
    return now, 0 if own else step


def _dated(scene: Scene, earlier: Sequence[Seen]) -> Iterator[Fact]:
    """What was read, each with the step after which it has been so."""
    read = facts(scene)
    left = {fact.name: fact.value for fact in read}
    since: dict[str, int] = {}
    for at in range(len(earlier) - 1, 0, -1):
        if not left:
            break
        then = {fact.name: fact.value for fact in facts(replace(scene, before=earlier[at - 1]))}
        fresh = [name for name, value in left.items() if then.get(name) != value]
        since.update(dict.fromkeys(fresh, at))
        left = {name: value for name, value in left.items() if name not in since}
    for fact in read:
        yield replace(fact, since=since.get(fact.name, 0))


def _possible_since(scene: Scene, earlier: Sequence[Seen]) -> int:
    rules = {rule.name: rule for rule in scene.scenario.system.rules}
    rule = rules[scene.step.rule]
    return _since(earlier, lambda seen: _offers(rule, scene, seen))


def _offers(rule: Rule, scene: Scene, seen: Seen) -> bool:
    """Whether the same could have been done in another state."""
    system, outcome = scene.scenario.system, scene.step.outcome
    summary = system.summary(seen.state)
    values = system.sight(rule.cells).seen(tuple(seen.state[at] for at in scene.step.positions))
    found = rule.outcomes(*values, *(summary[name] for name in rule.reads))
    return any((o.action, o.arguments) == (outcome.action, outcome.arguments) for o in found)


def _since(earlier: Sequence[Seen], holds: Callable[[Seen], bool]) -> int:
    """After how many steps something came to be that holds in the last state; 0 for the start."""
    for at in range(len(earlier) - 1, 0, -1):
        if not holds(earlier[at - 1]):
            return at
    return 0
