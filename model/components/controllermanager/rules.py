"""A restart of the controller manager: all of its controllers forget what they had in hand.

They do so one after the other, which is one step to everybody else, since the rules are urgent.
What they know from the API is not lost: new caches are filled before anybody acts. What there is to
forget, each component says itself (``Component.forgets``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubelemma.model.cluster.component import NO_PARTS, Component, Parts, all_nodes_alike, never
from kubelemma.model.cluster.events import on_cell
from kubelemma.model.cluster.forgetting import Forgetting
from kubelemma.model.cluster.setting import Setting
from kubelemma.model.system import Cell, Outcome, Rule

from .actions import ACTIONS, CONTROLLER_RESTART, FORGET

RESTART = "controller manager"
"""The cell with how much has still to be forgotten, the last first; 0 while it runs."""


def _rules(number: int, forgetting: Forgetting) -> Iterator[Rule]:
    """The rules by which something is forgotten when its turn has come."""
    yield _rule(number, forgetting, done=1)
    for earlier in forgetting.before:
        yield _rule(number, earlier, done=0)


def _rule(number: int, forgetting: Forgetting, *, done: int) -> Rule:
    def act(left: int, *seen: Any) -> Iterator[Outcome]:
        for loss in forgetting.lose(*seen) if left == number else ():
            writes = {RESTART: left - done, **loss.writes} if done else loss.writes
            yield Outcome(FORGET, writes, loss.arguments, loss.why)

    cells = (RESTART, *forgetting.cells)
    name = f"forget {forgetting.what}"
    return Rule(name, forgetting.actor, cells, act, forgetting.reads, urgent=True)


# The component


def _parts(setting: Setting) -> Parts:
    if not setting.may_happen(CONTROLLER_RESTART):
        return NO_PARTS
    numbered = enumerate(setting.forgets, 1)
    rules = tuple(rule for number, found in numbered for rule in _rules(number, found))
    return Parts(cells=(Cell(RESTART, 0, int),), rules=rules)


def _restart(setting: Setting, _left: int) -> tuple[int, str]:
    why = "the controller manager restarts, and forgets what it had in hand"
    return len(setting.forgets), why


COMPONENT = Component(
    name="controllermanager",
    distinguishes=all_nodes_alike,
    needs_terminating=never,
    parts=_parts,
    actions=ACTIONS,
    events=(
        on_cell(CONTROLLER_RESTART, RESTART, _restart, fault=True)._replace(
            given="controllerRestarts"
        ),
    ),
)
