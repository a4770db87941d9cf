"""Files in a folder that are no Kubernetes objects, and what they may be instead.

Repositories hold values of charts, dashboards, files of CI and of package managers beside their
manifests. Whoever names a folder does not mean those. A file that was meant for the API server, and
is wrong, is none of them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kubelemma.model.findings import RENDER_FIRST

from .documents import Document, Parsed
from .problems import Position, Problem

_ENVELOPE = ("apiVersion", "kind")
_API_VERSION = re.compile(r'^(?:- )?\s*"?apiVersion"?\s*:', re.MULTILINE)
_KIND = re.compile(r'^(?:- )?\s*"?kind"?\s*:', re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{\{|\{%|\$\{|<%")
_SKIPPED = "skipped: "
_MISSING = "apiVersion and kind are missing"
_TEMPLATE = "a template, which has to be rendered first"

_Data = Mapping[str, Any]


def skipped(position: Position, what: str) -> Problem:
    """That a file is passed over, and why."""
    return Problem(position, "", f"{_SKIPPED}{what}")


def not_skipped(problem: Problem) -> Problem:
    """The same as a reason to read nothing at all."""
    return problem._replace(message=problem.message.removeprefix(_SKIPPED))


def foreign(file: str, text: str, parsed: Parsed) -> Problem | None:
    """Why the text of a file that lay in a folder is none for the API server; None where it is."""
    if any(map(_is_meant, parsed.documents)):
        return None
    if parsed.documents:
        document = parsed.documents[0]
        return skipped(Position(file, document.place.line), _instead(file, document.data))
    if not parsed.problems or looks_meant(text):
        return None
    first = parsed.problems[0]
    if _is_template(text, first):
        return skipped(first.position, _TEMPLATE)
    return skipped(first.position, f"no Kubernetes object, and not YAML ({first.message})")


def looks_meant(text: str) -> bool:
    """Whether a text, as far as it can be read, has what objects of the API begin with."""
    return bool(_API_VERSION.search(text) and _KIND.search(text))


def template(file: str, text: str, problems: Iterable[Problem]) -> Problem | None:
    """That a file is a template, if that is why something is wrong with it."""
    for problem in problems:
        if problem.position.file == file and _is_template(text, problem):
            return skipped(problem.position, _TEMPLATE)
    return None


def _is_template(text: str, problem: Problem) -> bool:
    """Whether a placeholder stands where something is wrong."""
    if RENDER_FIRST in problem.message:
        return True
    if not problem.position.line:
        return False
    line = text.splitlines()[problem.position.line - 1 : problem.position.line]
    return any(map(_PLACEHOLDER.search, line))


def _is_meant(document: Document) -> bool:
    """Whether somebody wrote it for the API server, even if it is wrong."""
    data = document.data
    if not isinstance(data, dict):
        return False
    given = [key for key in _ENVELOPE if data.get(key)]
    if len(given) < len(_ENVELOPE):
        return "metadata" in data and ("spec" in data or bool(given))
    return not (_is_kubeconfig(data) or _is_of_kustomize(data))


def _is_kubeconfig(data: _Data) -> bool:
    return data.get("kind") == "Config" and data.get("apiVersion") == "v1" and "clusters" in data


def _is_of_kustomize(data: _Data) -> bool:
    return str(data.get("apiVersion")).startswith("kustomize.config.k8s.io/")


def _has(*keys: str) -> Callable[[_Data], bool]:
    return lambda data: all(key in data for key in keys)


def _is_compose(data: _Data) -> bool:
    services = data.get("services")
    return isinstance(services, dict) and any(
        isinstance(each, dict) and each.keys() & {"image", "build"} for each in services.values()
    )


def _is_package(data: _Data) -> bool:
    return bool(data.keys() & {"dependencies", "devDependencies", "scripts", "lockfileVersion"})


def _is_workflow(data: _Data) -> bool:
    return "jobs" in data or "stages" in data or {"runs", "name"} <= data.keys()


_KINDS: tuple[tuple[Callable[[_Data], bool], str], ...] = (
    (_is_kubeconfig, "a kubeconfig"),
    (_is_of_kustomize, "settings of Kustomize, under a name that it does not look for"),
    (_has("panels"), "a Grafana dashboard"),
    (_is_compose, "a Docker Compose file"),
    (_has("openapi"), "a description of an API"),
    (_has("swagger"), "a description of an API"),
    (_has("appVersion"), "the description of a Helm chart"),
    (_is_package, "a file of a package manager"),
    (_is_workflow, "a file of CI"),
    (_has("$schema"), "a JSON schema, or a file with one"),
)


def _instead(file: str, data: Any) -> str:
    """What it seems to be."""
    guess = _guess(posixpath.basename(file), data)
    return f"no Kubernetes object ({f'{guess}?' if guess else _MISSING})"


def _guess(name: str, data: Any) -> str:
    if name.startswith("values"):
        return f"values of a Helm chart: {RENDER_FIRST}"
    if isinstance(data, list):
        return "a list: a playbook, or a JSON patch"
    if not isinstance(data, dict):
        return "text"
    known = (what for fits, what in _KINDS if fits(data))
    return next(known, "")
