"""One random run in plain semantics."""

from __future__ import annotations

from random import Random

from kubelemma.model.system import System

from .replay import stands_still, step_of
from .result import Trace


def simulate(system: System, seed: int, max_steps: int, *, environment: bool = True) -> Trace:
    """A run from one of the initial states, each step drawn evenly from all that are enabled.

    It ends after ``max_steps`` steps, or where nothing is enabled. Without ``environment`` only
    controllers act. The same seed gives the same run.
    """
    random = Random(seed)  # noqa: S311 - a run to look at, not a secret
    start = system.initial if len(system.starts) == 1 else random.choice(system.starts)
    state, steps = start, []
    for _ in range(max_steps):
        enabled = [t for t in system.successors(state) if environment or not t.rule.environment]
        if not enabled:
            break
        transition = random.choice(enabled)
        steps.append(step_of(transition))
        state = transition.state
    return Trace(start, tuple(steps), standstill=stands_still(system, state))
