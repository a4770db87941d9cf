"""What earlier runs found out, for a run that would search."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import msgspec

from kubelemma import __version__
from kubelemma.question import Case
from kubelemma.solver.events import Event, Listener, Violation
from kubelemma.solver.result import CheckResult, PropertyResult, Verdict

from .earlier import still_failing
from .entry import Entry, Unfit, entry_of, is_decided, result_of
from .folder import Damaged, Folder
from .identity import NoIdentity, identity
from .saying import Saying

CACHE = Path(".kubelemma") / "cache"
"""Where verdicts are remembered, below the working directory."""

Search: TypeAlias = Callable[[Listener], CheckResult]


class Memory:
    """Verdicts in ``cache``, and counterexamples below ``root`` (see `kubelemma.recording`).

    Nothing that goes wrong with the files is an error: what cannot be read is searched for, and
    what cannot be written will be next time. ``saying`` is told of it. Without ``writes`` it
    only looks things up.
    """

    def __init__(
        self, cache: Path, root: Path, saying: Saying | None = None, *, writes: bool = True
    ) -> None:
        self._folder = Folder(cache)
        self._root = root
        self._saying = saying or Saying()
        self._writes = writes

    def result(
        self, case: Case, listener: Listener, search: Search, *, exhaustive: bool
    ) -> CheckResult:
        """What is known about the case; where that is nothing, what the search finds out.

        Counterexamples of earlier runs come first: the listener is told at once of those that
        still fail, and they stand for what the search leaves undecided. ``exhaustive`` says that
        it visits every state, so that its verdicts and those that are remembered are of one kind.
        """
        known = self.recall(case) if exhaustive else None
        if known is not None:
            return known
        earlier = self.still_failing(case)
        result = search(_told(earlier, listener))
        if exhaustive:
            self.keep(case, result)
        return with_earlier(result, earlier)

    def recall(self, case: Case) -> CheckResult | None:
        """What an engine that visits every state has said about the case, or about its equal."""
        try:
            content = self._folder.read(identity(case))
            if content is None:
                return None
            found = result_of(case, msgspec.json.decode(content, type=Entry))
        except NoIdentity as error:
            self._saying.detail(f"{case.scenario.name}: is never remembered: {error}")
            return None
        except (OSError, Damaged, Unfit, msgspec.MsgspecError) as error:
            self._saying.detail(
                f"{case.scenario.name}: what was remembered is of no use ({error}): searching anew"
            )
            return None
        self._saying.detail(f"{case.scenario.name}: remembered from an earlier run")
        return found

    def keep(self, case: Case, result: CheckResult) -> None:
        """Remember a result, if it leaves nothing to find out."""
        if not self._writes or not is_decided(result):
            return
        try:
            content = msgspec.json.encode(entry_of(case, result, __version__))
            self._folder.write(identity(case), content)
        except NoIdentity:  # which was told when there was nothing to recall
            return
        except OSError as error:
            self._writes = False
            why = f"{self._folder.path}: {error.strerror or error}"
            self._saying.warn(f"warning: verdicts cannot be remembered: {why}")

    def still_failing(self, case: Case) -> tuple[PropertyResult, ...]:
        """The properties that a counterexample of an earlier run violates on what there is now."""
        return tuple(still_failing(case, self._root, self._saying))

    def prune(self) -> None:
        """Forget what was of no use for longest, where there is too much."""
        if self._writes:
            self._folder.prune()


def with_earlier(result: CheckResult, earlier: Iterable[PropertyResult]) -> CheckResult:
    """The result, with what it leaves undecided answered by counterexamples of earlier runs."""
    violated = {_about(found): found for found in earlier}
    properties = tuple(
        violated.get(_about(found), found) if found.verdict is Verdict.INCONCLUSIVE else found
        for found in result.properties
    )
    return replace(result, properties=properties)


def _told(earlier: Iterable[PropertyResult], listener: Listener) -> Listener:
    """Tell of violations at once; gives a listener that does not hear of them again."""
    violations = [Violation(*_about(found), _steps(found)) for found in earlier]
    known = {(event.property_id, event.subject) for event in violations}
    for event in violations:
        listener(event)

    def unless_known(event: Event) -> None:
        if not isinstance(event, Violation) or (event.property_id, event.subject) not in known:
            listener(event)

    return unless_known


def _about(found: PropertyResult) -> tuple[str, str]:
    return found.property.id, found.property.subject


def _steps(found: PropertyResult) -> int:
    return len(found.trace.steps) if found.trace else 0
