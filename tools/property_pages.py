"""Write the documentation pages of all properties, with counterexamples that are found anew.

usage: python tools/property_pages.py [DIR]

A property that manifests can violate is shown by the case of the gallery that violates it in the
fewest steps. Any other is shown by a mutant of the model, of those that the tests of the engines
hold it against. DIR is docs/properties unless another one is named.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import yaml

from kubelemma import api
from kubelemma.properties.catalogue import STATEMENTS
from kubelemma.properties.select import properties_for
from kubelemma.reports.document import PropertyReport
from kubelemma.reports.narrate import narrate
from kubelemma.reports.property_pages import Counterexample, Repair, index, page
from kubelemma.reports.story import Story
from kubelemma.reports.style import plural
from kubelemma.solver.explore import check
from kubelemma.solver.result import Verdict

ROOT = Path(__file__).resolve().parents[1]
CASES: dict[str, Any] = yaml.safe_load(
    (ROOT / "tests" / "gallery" / "expectations.yaml").read_text("utf-8")
)


def pages() -> dict[str, str]:
    """All pages, by the names of their files."""
    shown = {identifier: counterexample(identifier) for identifier in STATEMENTS}
    found = {f"{name}.md": page(STATEMENTS[name], story) for name, story in shown.items()}
    return {"README.md": index(shown, STATEMENTS.values()), **found}


def counterexample(identifier: str) -> Counterexample:
    """The smallest counterexample of a property that is known."""
    steps = {
        name: min(
            violation["steps"] for violation in case["violated"] if violation["id"] == identifier
        )
        for name, case in CASES.items()
        if any(violation["id"] == identifier for violation in case["violated"])
    }
    if not steps:
        return of_mutant(identifier)
    best, *others = sorted(steps, key=lambda name: steps[name])
    return of_example(identifier, best, tuple(others))


def of_example(identifier: str, name: str, others: tuple[str, ...]) -> Counterexample:
    """The story of an example, and what becomes of it in its sound variants."""
    story = next(prop.story for prop in found(name, identifier) if prop.story is not None)
    variants = (f"{name}-{variant}" for variant in CASES[name]["sound"])
    repairs = tuple(Repair(variant, verdict(variant, identifier)) for variant in variants)
    return Counterexample(story, example=name, repairs=repairs, others=others)


def verdict(example: str, identifier: str) -> str:
    """What is found out about a property in an example, in words."""
    verdicts = {str(prop.finding) for prop in found(example, identifier)}
    statistics = explored(example).result.statistics
    if verdicts - {"holds", "vacuous"} or not statistics.exhaustive:
        raise SystemExit(f"{example}: {identifier} was to hold, and is {' and '.join(verdicts)}")
    states = f"{plural(statistics.states, 'state')} up to symmetry"
    if verdicts == {"vacuous"}:
        return f"is vacuous, as nothing is promised there ({states})"
    return f"holds in every reachable state ({states})"


@cache
def explored(example: str) -> api.Explored:
    """What is found out about the one scenario of an example."""
    with chdir(ROOT):  # so that pages name no folder of a machine
        (case,) = api.ask(api.Question(paths=(f"examples/{example}",))).cases
    return api.explore(case, engine="plain")


def found(example: str, identifier: str) -> tuple[PropertyReport, ...]:
    """The reports on a property in an example, one for each object that it is about."""
    (scenario,) = api.report([explored(example)]).scenarios
    return tuple(prop for prop in scenario.properties if prop.id == identifier)


def of_mutant(identifier: str) -> Counterexample:
    """The story of the first mutant that says of itself what it does."""
    tests = mutants()
    mutant = next(m for m in tests.MUTANTS if m.caught_by == identifier and own_words(m))
    module = import_module(f"kubelemma.model.{mutant.module}")
    with patch.object(module, mutant.function, mutant.replacement):
        story = next(stories(mutant.scenario.built(), identifier))
    return Counterexample(
        story,
        broken=own_words(mutant),
        function=f"model/{mutant.module.replace('.', '/')}.py: {mutant.function}",
    )


def stories(scenario: Any, identifier: str) -> Iterator[Story]:
    """The stories that break a property, of whatever it is asked."""
    for result in check(scenario.system, properties_for(scenario, [identifier])).properties:
        if result.verdict is Verdict.VIOLATED and result.trace is not None:
            yield replace(narrate(scenario, result.property, result.trace), repeat=())


def own_words(mutant: Any) -> str:
    """What a replacement says of itself; nothing where it is plain data."""
    is_code = callable(mutant.replacement)
    return " ".join((mutant.replacement.__doc__ or "").split()) if is_code else ""


@cache
def mutants() -> ModuleType:
    """The tests that hold the model's mutants."""
    path = ROOT / "tests" / "engines" / "test_mutants.py"
    spec = importlib.util.spec_from_file_location("property_pages_mutants", path)
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - the file is there
    sys.path.append(str(path.parent))
    module = importlib.util.module_from_spec(spec)
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # for what stands beside it
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Write the pages, and delete those of properties that are no more."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    default = ROOT / "docs" / "properties"
    parser.add_argument("folder", nargs="?", type=Path, default=default, metavar="DIR")
    folder: Path = parser.parse_args().folder
    written = pages()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in written.items():
        (folder / name).write_text(text, "utf-8")
    for path in folder.glob("*.md"):
        if path.name not in written:
            path.unlink()


if __name__ == "__main__":
    main()
