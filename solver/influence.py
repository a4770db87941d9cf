"""What can influence each property of a system, and what each of its rules looks at and depends on.

By declaration, which is what reductions go by: a rule can influence a property if it may write what
the property looks at, or what another rule sees that can. And by the answers in some states, the
nearest to the start: what a rule is shown need not make a difference to what it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from kubelemma.model.dependence import answers_in, support
from kubelemma.model.system import Rule, State, System
from kubelemma.properties.statement import Property

from .reductions.slicing import Cones
from .result import Influence, Influenced, Used

STATES = 100
"""In so many states rules are asked what their answers depend on."""

_PLACE = re.compile(r"\[[0-9]+\]")


def influence(system: System, properties: Sequence[Property], states: int = 0) -> Influence:
    """What influences the properties of a system; rules are asked in so many states at most."""
    cones, known = Cones(system), tuple(islice(_reached(system), states))
    calm = [state for state in known if not any(t.rule.urgent for t in system.successors(state))]
    return Influence(
        tuple(_influenced(cones, prop) for prop in properties),
        tuple(_used(system, rule, known if rule.urgent else calm) for rule in system.rules),
        len(known),
    )


def _influenced(cones: Cones, prop: Property) -> Influenced:
    view = prop.formula.view
    inside = {rule.name for rule in cones.rules(cones.of(prop.formula))}
    outside = tuple(rule.name for rule in cones.system.rules if rule.name not in inside)
    return Influenced(prop.id, prop.subject, (*view.cells, *view.reads), outside)


def _used(system: System, rule: Rule, states: Sequence[State]) -> Used:
    found = tuple(_parts(system, rule, states)) if states else None
    return Used(rule.name, (*rule.cells, *rule.reads), rule.writable, found)


def _parts(system: System, rule: Rule, states: Iterable[State]) -> Iterator[str]:
    """What its answers depend on, sorted, each part once."""
    paths = support(system, rule, answers_in(system, rule, states))
    return iter(sorted({_PLACE.sub("[*]", path) for path in paths}))


def _reached(system: System) -> Iterator[State]:
    """All states, breadth first."""
    known = dict.fromkeys(map(system.canonical, system.starts))
    waiting = list(known)
    for state in waiting:
        yield state
        for transition in system.successors(state):
            after = system.canonical(transition.state)
            if after not in known:
                known[after] = None
                waiting.append(after)
