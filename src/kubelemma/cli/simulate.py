"""``kubelemma simulate``."""

from __future__ import annotations

from typing import Any

import click

from .exit import ExitCode, unless_unread
from .helping import Command
from .options import input_options, question
from .session import Session, common_options, width
from .warning import warn

EXAMPLES = (
    (
        "What the model does with these manifests",
        "simulate web.yaml",
    ),
    (
        "Another run, of twenty steps",
        "simulate web.yaml --event rollout=web --seed 7 --steps 20",
    ),
)


@click.command(cls=Command, examples=EXAMPLES)
@input_options
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The same seed, the same run.",
)
@click.option(
    "--steps",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="End after so many steps.",
)
@common_options
@click.pass_obj
def simulate(session: Session, /, *, seed: int, steps: int, **given: Any) -> ExitCode:
    """Tell one random run of each scenario as a story.

    Every step is drawn evenly from all that are possible. Nothing is proved by it; it shows what
    the model does with your manifests.
    """
    from kubelemma import api
    from kubelemma.reports import run_text

    asked = api.ask(question(**given))
    warn(session, asked.warnings)
    for case in asked.cases:
        trace, told = api.run_at_random(case, seed, steps)
        title = f"Scenario {case.scenario.name}, seed {seed}"
        text = run_text.run(
            title, told, standstill=trace.standstill, colour=session.colour(), width=width()
        )
        session.print(text)
    return unless_unread(ExitCode.OK, asked.problems)
