"""``kubelemma replay``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import completion
from .exit import ExitCode, unless_unread
from .helping import Command
from .options import LOAD
from .session import Session, common_options, width
from .warning import warn

if TYPE_CHECKING:
    from kubelemma.api import Replayed
    from kubelemma.recording import Recording


EXAMPLES = (
    (
        "The counterexample again, as it was recorded",
        "replay default-web-DEP-4",
    ),
    (
        "Is it gone after a repair?",
        "replay default-web-DEP-4 -f web.yaml",
    ),
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("name", metavar="FILE|ID", shell_complete=completion.recordings)
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    metavar="FILE|DIR",
    shell_complete=completion.files,
    help="Replay on these manifests instead of those of the recording.",
)
@LOAD
@common_options
@click.pass_obj
def replay(session: Session, name: str, files: tuple[str, ...], load: tuple[str, ...]) -> ExitCode:
    """Run a recorded counterexample again.

    FILE is a file below .kubelemma/traces, ID its name there. The steps are taken once more, on the
    recorded manifests or on new ones: the property still fails (exit code 1), the steps are no
    longer possible, or the property holds in spite of them (exit code 0). Files that were loaded
    must be as they were, unless --load names them.
    """
    from kubelemma import api, recording

    recorded = recording.load(recording.find(name, Path.cwd()))
    again = api.replay(recorded, files, load)
    warn(session, again.asked.warnings if files else ())
    session.print(_told(session, recorded, again))
    code = ExitCode.OK if again.story is None else ExitCode.VIOLATED
    return unless_unread(code, again.asked.problems)


def _told(session: Session, recorded: Recording, again: Replayed) -> str:
    """What became of the counterexample, with its story where it still is one."""
    from kubelemma.model.visible import visible
    from kubelemma.reports import run_text
    from kubelemma.reports.style import laid_out

    about = f"{recorded.property_id} of {recorded.subject}"
    if again.story is not None:
        return run_text.story(
            f"{about}: still fails", again.story, colour=session.colour(), width=width()
        )
    failed = again.repeat.failed_step
    if failed is None:
        return laid_out([visible(f"{about}: the property now holds on it")])
    step = recorded.steps[failed - 1]
    what = f"{about}: no longer possible at step {failed} ({step.actor}: {step.action})"
    return laid_out([visible(what)])
