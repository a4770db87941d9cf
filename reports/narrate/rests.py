"""On which earlier steps a step rests: who wrote what it read, and what it did not see.

Nobody has to say so for a component. What the actor of a step had read is asked of earlier states
as well, as if it had acted then: the step after which the answer has been the same is the one that
the read rests on. What made a step possible is found in the same way from its rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from kubelemma.model.system import Rule
from kubelemma.reports.story import Fact, Missed, StoryStep

from .reasons import facts, unseen
from .scene import Scene, Seen

FARTHEST = 100
"""So many steps back: what has been so for longer counts as so from the start."""

Told: TypeAlias = tuple[Scene, StoryStep]
"""A step as it was, and as it is told."""


def resting(run: Sequence[Told]) -> tuple[StoryStep, ...]:
    """The steps of a run from its start, each with what it rests on."""
    earlier: list[Seen] = []
    steps: list[StoryStep] = []
    scenes: list[Scene] = []
    for scene, step in run:
        earlier.append(scene.before)
        scenes.append(scene)
        steps.append(step if step.environment else _resting(scenes, steps, step, earlier))
    return tuple(steps)


def _resting(
    scenes: Sequence[Scene], before: Sequence[StoryStep], step: StoryStep, earlier: Sequence[Seen]
) -> StoryStep:
    """One step, given those before it, its scene as the last one, and the states up to its own."""
    scene = scenes[-1]
    follows = _possible_since(scene, earlier)
    missed = list(_unseen(scene, step, earlier))
    if follows and before[follows - 1].actor == step.actor and scene.step.outcome.writes:
        missed += _aged(scenes[follows - 1], before, follows, earlier)
    return replace(
        step,
        facts=tuple(_dated(scene, step.facts, earlier)),
        follows=follows,
        missed=tuple(dict.fromkeys(missed)),
    )


def _unseen(scene: Scene, step: StoryStep, earlier: Sequence[Seen]) -> Iterator[Missed]:
    """What its teller says that it did not see, and since when it says so."""

    def says(words: str, seen: Seen) -> bool:
        return words in unseen(replace(scene, before=seen))

    for words in step.unseen:
        yield Missed(_since(earlier, partial(says, words)), words)


def _aged(
    source: Scene, before: Sequence[StoryStep], follows: int, earlier: Sequence[Seen]
) -> Iterator[Missed]:
    """What an actor had read in an earlier step of its own, and others have changed since."""
    own = before[follows - 1]
    for fact in own.facts:
        now = _value(source, fact.name, earlier[-1])
        step = _since(earlier, partial(_is, source, fact.name, now))
        others = step > follows and before[step - 1].actor != own.actor
        if others and now not in ("", fact.value):
            words = f"{fact.name} was {fact.value} when it read that in step {follows}"
            yield Missed(step, f"{words}, and is {now} now")


def _is(source: Scene, name: str, value: str, seen: Seen) -> bool:
    return _value(source, name, seen) == value


def _value(source: Scene, name: str, seen: Seen) -> str:
    """What the actor of a step would have read of something in another state; empty for nothing."""
    found = facts(replace(source, before=seen))
    return next((fact.value for fact in found if fact.name == name), "")


def _dated(scene: Scene, read: Sequence[Fact], earlier: Sequence[Seen]) -> Iterator[Fact]:
    """What was read, each with the step after which it has been so.

    What the input says is so even where the actor would have read something else instead.
    """
    written = {fact.name for fact in read if fact.position is not None}
    left = {fact.name: fact.value for fact in read}
    since: dict[str, int] = {}
    for at in _back(earlier):
        if not left:
            break
        then = {fact.name: fact.value for fact in facts(replace(scene, before=earlier[at - 1]))}
        same = {name for name in left if then.get(name, left[name]) == left[name]}
        fresh = [name for name in left if name not in same & (then.keys() | written)]
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
    return next((at for at in _back(earlier) if not holds(earlier[at - 1])), 0)


def _back(earlier: Sequence[Seen]) -> range:
    """The steps before, from the last one back, as far as is looked for what something rests on."""
    last = len(earlier) - 1
    return range(last, max(last - FARTHEST, 0), -1)
