"""The lines of a recorded run, and how a file of them is read (``docs/conform.md``).

What cannot be read ends the run there: the lines before it can still be judged.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias, cast

import msgspec

from kubelemma.model.findings import did_you_mean
from kubelemma.model.manifests.problems import Position, Problem
from kubelemma.model.versions import NEWEST, release_of

SCHEMA = 2
"""The newest version of the format."""
LONGEST = 32 * 2**20
"""How many bytes a line may have; no object of Kubernetes comes near."""

_GZIP = b"\x1f\x8b"


class Header(msgspec.Struct, frozen=True, tag_field="src", tag="header", rename="camel"):
    """The first line: where the run is from."""

    scenario: str = ""
    seed: int = 0
    schema: int = SCHEMA
    kubernetes_version: str = ""
    leader_elect: bool = False


class Snapshot(msgspec.Struct, frozen=True, tag_field="src", tag="snapshot"):
    """An object that was there before the run."""

    rv: int
    kind: str
    name: str
    uid: str
    object: dict[str, Any]
    namespace: str | None = None


class Write(msgspec.Struct, frozen=True, tag_field="src", tag="watch"):
    """One write to the store.

    ``actor`` is who wrote, as the audit log has it, and ``via`` the verb with the subresource, such
    as ``patch/status``; None where that is not known. Of a deletion, ``object`` is the last state.
    ``reqT`` says when the request was received and when it was answered.
    """

    rv: int
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    kind: str
    name: str
    uid: str
    object: dict[str, Any]
    namespace: str | None = None
    actor: str | None = None
    via: str | None = None
    t: float = 0.0
    reqT: tuple[float, float] | None = None  # noqa: N815 - the name in the file

    @property
    def requested(self) -> float:
        """When the request for it arrived, as far as that is known."""
        return self.reqT[0] if self.reqT is not None else self.t


class Request(msgspec.Struct, frozen=True, tag_field="src", tag="request"):
    """A request that the audit log has; what it stored is a line of its own."""

    user: str = ""
    verb: str = ""
    resource: str = ""
    subresource: str | None = None
    code: int = 0
    body: Any = None


class Driver(msgspec.Struct, frozen=True, tag_field="src", tag="driver"):
    """What the user did: a request, or a signal to a process, a start of one, an exit."""

    op: str
    process: str = ""
    pid: int = 0
    t0: float = 0.0


class Machine(msgspec.Struct, frozen=True):
    """A machine: what its kubelet believes to be allocatable, where the Node says otherwise."""

    kubelet_alloc: dict[str, str] = {}


class Kubelet(msgspec.Struct, frozen=True, tag_field="src", tag="kubelet"):
    """What happened to a machine or its pods; what its kubelet writes is a line of its own."""

    op: str
    node: str = ""
    pod: str = ""
    t0: float = 0.0
    spec: Machine | None = None


Line: TypeAlias = Header | Snapshot | Write | Request | Driver | Kubelet

SOURCES = ("header", "snapshot", "watch", "request", "driver", "kubelet")

_DECODER = msgspec.json.Decoder(Line)


@dataclass(frozen=True, slots=True)
class Recording:
    """A run as far as it can be read: each line with its number, and why it cannot from there."""

    file: str
    header: Header
    lines: tuple[tuple[int, Line], ...]
    problem: Problem | None = None


def read(path: Path) -> Recording:
    """Read a file, compressed by gzip or not."""
    file = str(path)
    lines: list[tuple[int, Line]] = []
    problem: Problem | None = None
    order = _Order()
    try:
        for number, raw in _lines(path):
            lines.append((number, order.checked(raw, number)))
    except _Unreadable as error:
        problem = Problem(Position(file, error.line), error.field, error.message)
    header = lines[0][1] if lines else Header()
    return Recording(file, cast("Header", header), tuple(lines[1:]), problem)


class _Unreadable(Exception):
    """A line that is not of the format: its number, the field, and what is wrong."""

    def __init__(self, line: int, message: str, field: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.field = field
        self.message = message


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, with their numbers.

    Raises:
        _Unreadable: the file cannot be read, or not to its end.
    """
    number = 0
    try:
        with _opened(path) as stream:
            while raw := stream.readline(LONGEST + 1):
                number += 1
                if len(raw) > LONGEST:
                    most = LONGEST // 2**20
                    raise _Unreadable(number, f"is longer than {most} MiB: this is no run")
                if raw.strip():
                    yield number, raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        message = f"the compressed data breaks off or is damaged here ({error})"
        raise _Unreadable(number + 1, message) from error
    except OSError as error:
        raise _Unreadable(0, error.strerror or str(error)) from error
    if not number:
        raise _Unreadable(0, "is empty, where a run was expected")


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as plain:
        compressed = plain.read(2) == _GZIP
        plain.seek(0)
        if not compressed:
            yield plain
            return
        with gzip.open(plain, "rb") as stream:
            yield cast("IO[bytes]", stream)


class _Order:
    """What lines must have to do with those before them."""

    def __init__(self) -> None:
        self._revision = -1
        self._begun = False
        self._there: dict[str, str] = {}

    def checked(self, raw: bytes, number: int) -> Line:
        """The line.

        Raises:
            _Unreadable: it is not of the format, or cannot follow those before it.
        """
        line = _decoded(raw, number)
        if isinstance(line, Header) == self._begun:
            what = "is a second header" if self._begun else "is no header, which comes first"
            raise _Unreadable(number, what, "src")
        if isinstance(line, Header):
            _refuse_newer(line, number)
        self._begun = True
        if isinstance(line, Snapshot):
            self._there[line.uid] = line.kind
        if isinstance(line, Write):
            self._follow(line, number)
        return line

    def _follow(self, line: Write, number: int) -> None:
        if line.rv <= self._revision:
            message = f"is {line.rv}, which is not above {self._revision}, the one before it"
            raise _Unreadable(number, message, "rv")
        self._revision = line.rv
        there = line.uid in self._there
        named = f"{line.kind} {line.name} (uid {line.uid})"
        if line.type == "ADDED" and there:
            raise _Unreadable(number, f"{named} is added, but is there already", "type")
        if line.type != "ADDED" and not there:
            message = f"{named} is {line.type.lower()}, but no line has added it"
            raise _Unreadable(number, message, "type")
        if line.type == "DELETED":
            del self._there[line.uid]
        else:
            self._there[line.uid] = line.kind


def _decoded(raw: bytes, number: int) -> Line:
    try:
        return _DECODER.decode(raw)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        field = path.rstrip("`").removeprefix(".")
        if field == "src":
            raise _Unreadable(number, _unknown(raw), field) from error
        raise _Unreadable(number, message[:1].lower() + message[1:], field) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _Unreadable(number, f"is no JSON: {error}") from error


def _unknown(raw: bytes) -> str:
    """What is wrong with the kind of a line."""
    found = msgspec.json.decode(raw)["src"]
    guess = did_you_mean(found, SOURCES) if isinstance(found, str) else ""
    kinds = f"{', '.join(SOURCES[:-1])} or {SOURCES[-1]}"
    return f"{found!r} is no kind of line{guess}; expected {kinds}"


def _refuse_newer(header: Header, number: int) -> None:
    if header.schema > SCHEMA:
        message = f"is {header.schema}; runs of version {SCHEMA} of the format can be read"
        raise _Unreadable(number, message, "schema")
    stated = header.kubernetes_version
    if not stated:
        return
    release = release_of(stated)
    if release is None:
        message = f'"{stated}" is no version such as v{NEWEST}'
        raise _Unreadable(number, message, "kubernetesVersion")
    if release[:2] > NEWEST[:2]:
        message = f"{stated} is newer than Kubernetes {NEWEST.minor_version}, which is modelled"
        raise _Unreadable(number, message, "kubernetesVersion")
