"""Options that say which findings count, and the policy that they make."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from .configured import home
from .exit import was_interrupted
from .options import SEVERITIES, either, to_write
from .output import write
from .searching import ERROR, FAIL_FAST
from .session import Session

if TYPE_CHECKING:
    from kubelemma.policy import Policy
    from kubelemma.properties.statement import Severity
    from kubelemma.reports.document import Report

Function = TypeVar("Function", bound=Callable[..., Any])


def severities(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> Mapping[str, Severity]:
    """Read ``ID=SEVERITY`` pairs."""
    from kubelemma.properties.statement import Severity

    found = {}
    for value in values:
        name, _, severity = value.partition("=")
        if severity not in SEVERITIES:
            message = f'"{value}" is not ID=SEVERITY, SEVERITY being {either(SEVERITIES)}'
            raise click.BadParameter(message)
        found[name] = Severity(severity)
    return found


def day(_context: click.Context, _parameter: click.Parameter, value: str | None) -> date:
    """Read a day such as ``2027-01-31``; today's (UTC) where none is given."""
    if value is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(f'"{value}" is no day such as 2027-01-31') from error


def fresh_baseline(
    _context: click.Context, _parameter: click.Parameter, path: Path | None
) -> Path | None:
    """A baseline may replace another one, and nothing else."""
    from kubelemma.model.manifests.problems import InvalidInput
    from kubelemma.policy import load_baseline

    if path is None:
        return None
    to_write(path)
    if path.is_file() and path.stat().st_size:
        try:
            load_baseline(str(path))
        except InvalidInput as error:
            message = f'"{path}" is no baseline: it is not written over'
            raise click.BadParameter(message) from error
    return path


_OPTIONS = (
    click.option(
        "--severity",
        "severities",
        multiple=True,
        metavar="ID=SEVERITY",
        callback=severities,
        help="How severe a violation of this property is, such as DEP-2=low. Repeatable.",
    ),
    click.option(
        "--suppressions",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The violations that are accepted (.kubelemma.yaml, here or in a folder above, where "
        "nobody says).",
    ),
    click.option(
        "--no-suppressions",
        is_flag=True,
        help="Heed no suppressions, neither in a file nor in annotations.",
    ),
    click.option(
        "--baseline",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Violations that this file lists fail no check: a baseline, or an earlier result.",
    ),
    click.option(
        "--write-baseline",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=fresh_baseline,
        help="Write what is violated to this file, to be the baseline of later runs.",
    ),
    click.option(
        "--today",
        metavar="DAY",
        callback=day,
        help="The day that suppressions must not have expired on, such as 2027-01-31.",
    ),
)


def judging_options(command: Function) -> Function:
    """Add the options from which ``policy_of`` makes a policy."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class Judging(NamedTuple):
    """The values of ``judging_options``."""

    severities: Mapping[str, Severity]
    suppressions: Path | None
    no_suppressions: bool
    baseline: Path | None
    write_baseline: Path | None
    today: date

    def known(self) -> Path | None:
        """The baseline to read; none where the very first one is about to be written."""
        file = self.baseline
        begins = file is not None and file == self.write_baseline and not file.exists()
        return None if begins else file

    def settled(self) -> Judging:
        """The same with the file of suppressions that is to be read, where there is one."""
        found = self.suppressions or (None if self.no_suppressions else _nearest())
        return self._replace(suppressions=found)


def policy_of(given: Judging, known: Collection[str]) -> Policy:
    """What counts; ``known`` are the identifiers of properties.

    Raises:
        UsageError: options contradict each other, or name no property.
        InvalidInput: a file cannot be read, or something is wrong with it.
    """
    from kubelemma.policy import Place, Policy, load_baseline, load_suppressions

    for name in given.severities:
        _refuse_unknown(name, known)
    if given.no_suppressions and given.suppressions is not None:
        raise click.UsageError("--suppressions and --no-suppressions contradict each other")
    file = None if given.no_suppressions else given.suppressions or _nearest()
    place = file and Place(os.path.relpath(file), str(file.absolute().parent))
    before = given.known()
    return Policy(
        rules=load_suppressions(place, known, given.today) if place else (),
        annotations=not given.no_suppressions,
        baseline=load_baseline(str(before)) if before else None,
        severities=given.severities,
        folder=str(Path.cwd()),
    )


def _refuse_unknown(name: str, known: Collection[str]) -> None:
    from kubelemma.model.findings import did_you_mean

    if name not in known:
        context = click.get_current_context()
        option = next(p for p in context.command.params if p.name == "severities")
        message = f'there is no property "{name}"{did_you_mean(name, known)}'
        raise click.BadParameter(message, context, option)


def _nearest() -> Path | None:
    """The file of suppressions here, or in a folder above."""
    from kubelemma.model.manifests.sources import SUPPRESSIONS_FILE
    from kubelemma.settings import find_above

    return find_above(SUPPRESSIONS_FILE, Path.cwd(), home())


def write_violations(session: Session, report: Report, policy: Policy, path: Path | None) -> None:
    """Write what is violated to a file, if one is given and every scenario had its turn.

    Raises:
        ClickException: the file cannot be written.
    """
    from kubelemma.policy import render_baseline

    if path is None:
        return
    stops = {s.statistics.stopped_by for s in report.scenarios}
    if was_interrupted(stops) or stops & {FAIL_FAST, ERROR}:
        session.tell(f"warning: {path} is not written: the run was broken off")
        return
    write(path, render_baseline(report, policy.baseline))
