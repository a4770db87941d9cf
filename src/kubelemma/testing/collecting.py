"""Scenarios as pytest sees them: a file has scenarios, a scenario has a test for each property."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pytest

from kubelemma import api
from kubelemma.model.manifests import InvalidInput
from kubelemma.model.visible import visible
from kubelemma.properties.statement import Property, Severity
from kubelemma.reports.document import PropertyReport, Report, Result, ScenarioReport
from kubelemma.solver.result import Verdict

from .checking import explore
from .given import ask_about
from .marks import FINDING, WHY
from .session import Session, session_of
from .telling import told


class Unproved(Exception):
    """A property of a scenario that did not come out as it should; the message tells why."""


class ScenarioFile(pytest.File):
    """A file with scenarios."""

    def collect(self) -> Iterator[ScenarioNode]:
        """The scenarios of the file.

        Raises:
            CollectError: something is wrong with the input, or there is nothing to check.
        """
        path = os.path.relpath(self.path)
        try:
            session = session_of(self.config)
            asked = ask_about((path,), {}, session.means.usual)
            policy = session.means.policy(asked.statements)
        except (pytest.UsageError, InvalidInput) as error:
            raise self.CollectError(str(error)) from error
        if not any(case.check.metadata.name for case in asked.cases):
            raise self.CollectError(f"{path}: there is no scenario (kind: Check) in this file")
        for warning in asked.warnings:
            self.warn(pytest.PytestWarning(str(warning)))
        for case in asked.cases:
            yield ScenarioNode.of(self, case, session, policy)


class ScenarioNode(pytest.Collector):
    """A scenario; it is explored once, when the first of its tests is run."""

    case: api.Case
    checks: Session
    policy: api.Policy

    @classmethod
    def of(
        cls, parent: ScenarioFile, case: api.Case, checks: Session, policy: api.Policy
    ) -> ScenarioNode:
        """The node of a case."""
        node: ScenarioNode = cls.from_parent(parent, name=visible(case.scenario.name))
        node.case, node.checks, node.policy = case, checks, policy
        return node

    def collect(self) -> Iterator[PropertyItem]:
        """A test for each property of each object."""
        properties = self.case.properties
        for prop in properties:
            several = sum(other.id == prop.id for other in properties) > 1
            yield PropertyItem.of(
                self, prop, visible(f"{prop.id}[{prop.subject}]" if several else prop.id)
            )

    @property
    def fail_on(self) -> Severity:
        """The severity from which on a violation counts."""
        return self._report.fail_on

    @property
    def found(self) -> ScenarioReport:
        """What is found out about the scenario."""
        return self._report.scenarios[0]

    @cached_property
    def _report(self) -> Report:
        report = explore((self.case,), self.checks.means, self.policy)
        self.checks.note(self.case, report, self.policy)
        return report


class PropertyItem(pytest.Item):
    """A property of a scenario, as a test."""

    scenario: ScenarioNode
    property: Property

    @classmethod
    def of(cls, parent: ScenarioNode, prop: Property, name: str) -> PropertyItem:
        """The test of a property."""
        item: PropertyItem = cls.from_parent(parent, name=name)
        item.scenario, item.property = parent, prop
        return item

    def runtest(self) -> None:
        """Pass, fail with the story, or say why nothing is known.

        Raises:
            Unproved: it is violated, or did not come out as expected, or was not decided.
        """
        prop = self._found()
        fail_on = self.scenario.fail_on
        result = prop.result(fail_on)
        if result is Result.PASSED:
            self._note(prop)
            return
        if result is Result.INCONCLUSIVE and self._may_be_open():
            pytest.xfail(visible(f"inconclusive: {prop.message}"))
        raise Unproved(told(self.scenario.found, prop, fail_on))

    def _found(self) -> PropertyReport:
        wanted = (self.property.id, self.property.subject)
        return next(p for p in self.scenario.found.properties if (p.id, p.subject) == wanted)

    def _may_be_open(self) -> bool:
        return bool(self.config.getini("kubelemma_inconclusive") == "xfail")

    def _note(self, prop: PropertyReport) -> None:
        """Say in the report what is to be known of a success."""
        if prop.expected is not None:
            return
        if prop.excused:
            self._say(prop.excused, prop.excuse)
        elif prop.finding == "vacuous":
            self._say("vacuous", prop.message)
        elif prop.verdict is Verdict.VIOLATED:
            self._say("mild", f"violated, but less severe than {self.scenario.fail_on}")

    def _say(self, finding: str, why: str) -> None:
        self.user_properties += [(FINDING, finding), (WHY, visible(why))]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The story; a traceback only of what should not happen."""
        if isinstance(excinfo.value, Unproved):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Where the test stands: its file, and what it is called."""
        return self.path, None, f"{self.scenario.name}: {self.name}"
