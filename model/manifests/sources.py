"""Files and directories to texts: the only part of this package that touches the disk.

Directories are read as ``kubectl -R -f DIR`` does
(``staging/src/k8s.io/cli-runtime/pkg/resource/builder.go``): every ``*.yaml``, ``*.yml`` and
``*.json`` in the tree, sorted; hidden directories are left out.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kubelemma.model.findings import did_you_mean

from . import kustomize
from .coverage import NotModelled
from .documents import LARGEST_JSON, LARGEST_TEXT, is_json, too_large
from .foreign import looks_meant, skipped
from .problems import Position, Problem

_PEEK = 100
"""So many bytes tell what a file may be."""
_SUFFIXES = (".yaml", ".yml", ".json")
SUPPRESSIONS_FILE = ".kubelemma.yaml"
"""What the user accepts: it may lie among the manifests, and is none."""
_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Source(NamedTuple):
    """Something to read.

    Attributes:
        name: a file or a directory; only a name for messages where ``content`` is given.
        content: what was read already, such as standard input.
    """

    name: str
    content: str | bytes | None = None


class Text(NamedTuple):
    """One text that was read.

    Attributes:
        alone: whether it was asked for by itself, and not found in a directory.
        generated: whether Kustomize made it, so that its lines mean nothing to the reader.
        origins: the files that its objects came from, by `kustomize.key_of`.
    """

    file: str
    text: str
    alone: bool = False
    generated: bool = False
    origins: Mapping[str, str] = {}

    @property
    def on_disk(self) -> bool:
        """Whether its lines can be looked up."""
        return not self.generated and not self.file.startswith("<")


class Gathered(NamedTuple):
    """All texts in the order in which they were asked for.

    Attributes:
        problems: why nothing can be said at all.
        warnings: what is only to be known.
        skipped: what was found in a folder, and is not for the API server.
        unread: files and Kustomize bases that cannot be read or built, which costs nothing else.
    """

    texts: tuple[Text, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    skipped: tuple[Problem, ...]
    unread: tuple[Problem, ...]
    not_modelled: tuple[NotModelled, ...]


class _Warned(NamedTuple):
    problem: Problem


class _Skipped(NamedTuple):
    problem: Problem


class _Unread(NamedTuple):
    problem: Problem


_Item = Text | Problem | NotModelled | _Warned | _Skipped | _Unread


def gather(sources: Sequence[Source], *, build: bool) -> Gathered:
    """Read all sources, each file once; ``build`` runs Kustomize where there are its files."""
    items = [item for source in sources for item in _source(source, build=build)]
    if not sources:
        items = [Problem(Position("input"), "", "no file or directory given: nothing to check")]
    return Gathered(
        _each_once(item for item in items if isinstance(item, Text)),
        tuple(item for item in items if isinstance(item, Problem)),
        tuple(item.problem for item in items if isinstance(item, _Warned)),
        tuple(item.problem for item in items if isinstance(item, _Skipped)),
        tuple(item.problem for item in items if isinstance(item, _Unread)),
        tuple(item for item in items if isinstance(item, NotModelled)),
    )


def _each_once(texts: Iterable[Text]) -> tuple[Text, ...]:
    """The texts without repetitions, however their files were called."""
    found: dict[tuple[str, str], Text] = {}
    for text in texts:
        key = (os.path.realpath(text.file), text.text)
        if key not in found or text.alone:
            found[key] = text
    return tuple(found.values())


def _source(source: Source, *, build: bool) -> Iterator[_Item]:
    if isinstance(source.content, str):
        yield Text(source.name, source.content, alone=True)
    elif source.content is not None:
        yield _decoded(source.name, source.content, alone=True)
    elif not source.name:
        message = "an empty path: a variable that is not set?"
        yield Problem(Position("input"), "", message)
    elif _is_directory(source.name):
        yield from _directory(os.path.normpath(source.name), build=build)
    else:
        yield _file(source.name, alone=True)


def origin(path: str) -> str | None:
    """The text of a file that a tool made something from; None where it cannot be read."""
    found = _file(path, alone=False) if Path(path).is_file() else None
    return found.text if isinstance(found, Text) else None


def template_of(path: str) -> str | None:
    """Where a template lies that Helm calls so, with the name of its chart in front.

    The chart may be the working directory, or lie in it, or up to two folders deeper.
    """
    if Path(path).is_file():
        return path
    chart, _, inside = path.partition("/")
    if Path(_CHART).is_file() and inside and Path(inside).is_file():
        return inside
    depths = (f"{'*/' * depth}{path}" for depth in (1, 2))
    found = [str(p) for depth in depths if chart for p in sorted(Path().glob(depth))]
    return found[0] if len(found) == 1 else None


def _is_directory(path: str) -> bool:
    """Whether it is known to be one; reading what is not will say what is wrong with it."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def _file(path: str, *, alone: bool) -> Text | Problem:
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_TEXT + 1)
            if is_json(content[:_PEEK]):
                content += file.read(LARGEST_JSON - LARGEST_TEXT)
    except FileNotFoundError:
        return Problem(Position(path), "", _missing(path))
    except OSError as error:
        return _cannot(error, path)
    except ValueError:
        return Problem(Position(path), "", "no name of a file (a NUL byte in it?)")
    return _decoded(path, content, alone=alone)


def _cannot(error: OSError, path: str = "") -> Problem:
    return Problem(Position(path or error.filename), "", f"cannot be read: {error.strerror}")


def _missing(path: str) -> str:
    """Why there is no such file."""
    if Path(path).is_symlink():
        return f'a link to "{Path(path).readlink()}", which is not there'
    return f"no such file or directory{_neighbour(path)}"


def _neighbour(path: str) -> str:
    """A file of nearly the same name in the same directory, where that can be listed."""
    if path.startswith(("http://", "https://")):
        return " (an address: download it first)"
    try:
        names = sorted(entry.name for entry in Path(path).parent.iterdir())
    except OSError:
        return ""
    return did_you_mean(Path(path).name, names)


def _decoded(name: str, content: bytes, *, alone: bool) -> Text | Problem:
    """The bytes as text; a byte-order mark is no part of it."""
    if len(content) > (LARGEST_JSON if is_json(content[:_PEEK]) else LARGEST_TEXT):
        return too_large(name)
    if content.startswith(_UTF16) or _is_wide(content):
        return Problem(Position(name), "", "UTF-16 text: save it as UTF-8")
    if content.startswith(_GZIP):
        return Problem(Position(name), "", "a gzip file: unpack it first")
    try:
        return Text(name, content.decode("utf-8-sig"), alone=alone)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8 text (byte 0x{content[error.start]:02x}): a binary file?"
        return Problem(Position(name, line, 1), "", message)


def _found(path: str) -> Iterator[_Item]:
    """A file of a directory: one that is no text at all is none that anybody would apply."""
    if not stat.S_ISREG(_mode(path)):
        yield _Skipped(skipped(Position(path), "no file, but a pipe, a socket or a device"))
        return
    text = _file(path, alone=False)
    if isinstance(text, Text):
        yield text
    elif _is_meant(path):
        yield from _unread(text)
    else:
        yield _Skipped(skipped(text.position, text.message))


def _unread(problem: Problem) -> Iterator[_Item]:
    """Something that cannot be read, and may be what somebody would apply."""
    yield _Unread(problem)
    yield not_read(problem)


def not_read(problem: Problem) -> NotModelled:
    """That nothing is known of a file."""
    file = problem.position.file
    reason = "cannot be read: nothing of it is checked"
    return NotModelled(Position(file), f"file {file}", "", "not modelled", reason)


def _mode(path: str) -> int:
    """What kind of file it is; of one that cannot be looked at, reading says what is wrong."""
    try:
        return Path(path).stat().st_mode
    except OSError:
        return stat.S_IFREG


def _is_meant(path: str) -> bool:
    """Whether what is no UTF-8 text may be a manifest: it begins like one, or cannot be looked at.

    Text in UTF-16 is read without its zeros, which is enough for that.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(_LOOKED_AT).replace(b"\0", b"")
    except (OSError, ValueError):
        return True
    return not start.startswith(_GZIP) and all(word in start for word in (b"apiVersion", b"kind"))


_LOOKED_AT = 2**16


def _is_wide(content: bytes) -> bool:
    """Whether every other byte at the beginning is zero, as in UTF-16 text without a mark."""
    start = content[:_PEEK]
    return any(
        len(half) > 1 and not any(half) and all(other)
        for half, other in ((start[::2], start[1::2]), (start[1::2], start[::2]))
    )


class _Tree(NamedTuple):
    """The files of a directory tree.

    Attributes:
        files: manifests, in order.
        kustomizations: the kustomization file of each directory that has one.
        charts: the directories of Helm charts, those inside others left out.
    """

    files: tuple[str, ...]
    kustomizations: dict[str, str]
    charts: tuple[str, ...]


def _directory(top: str, *, build: bool) -> Iterator[_Item]:
    errors: list[OSError] = []
    tree = _tree(top, errors)
    for error in errors:
        yield from _unread(_cannot(error))
    if not errors and not tree.files and not (build and tree.kustomizations):
        kinds = ", ".join(f"*{suffix}" for suffix in _SUFFIXES)
        yield Problem(Position(top), "", f"no {kinds} in this directory: nothing to check")
    bases = dict(_bases(tree)) if build else {}
    used = frozenset(path for base in bases.values() for path in base.files)
    for path in tree.files:
        if not _is_in(path, bases) and path not in used:
            charted = _charted(path, tree.charts)
            yield from (charted,) if charted else _found(path)
    if build:
        yield from _unnamed(tree, bases, used)
        yield from _kustomized(tree, bases)
    else:
        for path in tree.kustomizations.values():
            yield _Warned(Problem(Position(path), "", "skipped: Kustomize is turned off"))


def _unnamed(
    tree: _Tree, bases: Mapping[str, kustomize.Kustomization], used: frozenset[str]
) -> Iterator[_Item]:
    """What lies beside kustomization files, looks like manifests, and is named by none of them."""
    beside: dict[str, list[str]] = {}
    for path in tree.files:
        folder = posixpath.dirname(path) or "."
        if folder in bases and path not in used and _is_manifest(path):
            beside.setdefault(folder, []).append(posixpath.basename(path))
    for folder, names in beside.items():
        one = len(names) == 1
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        what = "1 manifest beside it is" if one else f"{len(names)} manifests beside it are"
        message = f"{what} named by no kustomization, and not read: {shown}{kustomize.AS_THEY_ARE}"
        yield _Warned(Problem(Position(tree.kustomizations[folder]), "", message))


_SHOWN = 3
"""How many files are named that are not read."""


def _is_manifest(path: str) -> bool:
    """Whether the text of a file begins an object of the API, right or wrong."""
    text = _file(path, alone=False)
    return isinstance(text, Text) and looks_meant(text.text)


def _tree(top: str, errors: list[OSError]) -> _Tree:
    files: list[str] = []
    kustomizations: dict[str, str] = {}
    charts: list[str] = []
    for folder, folders, names in os.walk(top, onerror=errors.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if _CHART in names and not _is_in(folder, charts):
            charts.append(os.path.normpath(folder))
        for name in sorted(names):
            path = os.path.normpath(Path(folder, name))
            if name in kustomize.FILE_NAMES:
                kustomizations[os.path.normpath(folder)] = path
            elif name.endswith(_SUFFIXES) and name != SUPPRESSIONS_FILE:
                files.append(path)
    return _Tree(tuple(files), kustomizations, tuple(charts))


def _is_in(path: str, folders: Iterable[str]) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in folders)


def _charted(path: str, charts: Iterable[str]) -> _Skipped | None:
    """That a file is part of a Helm chart, which only Helm can read, if it is."""
    for chart in charts:
        if not _is_in(path, (chart,)):
            continue
        parts = Path(path).relative_to(chart).parts
        if parts == (_CHART,):
            command = f"helm template {chart} | kubelemma check -"
            return _Skipped(skipped(Position(path), f"a Helm chart; to have it read: {command}"))
        own = parts[0] in _OF_CHART or (len(parts) == 1 and parts[0].startswith("values"))
        if own:
            return _Skipped(skipped(Position(path), f"part of the Helm chart {chart}"))
    return None


_CHART = "Chart.yaml"
_OF_CHART = ("templates", "charts", "crds", "ci")
"""The folders of a chart that are Helm's to read."""


def _bases(tree: _Tree) -> Iterator[tuple[str, kustomize.Kustomization]]:
    """Every kustomization file that can be read; Kustomize says what is wrong with the others."""
    for folder, path in tree.kustomizations.items():
        text = _file(path, alone=False)
        content = "" if isinstance(text, Problem) else text.text
        yield folder, kustomize.kustomization(folder, content)


def _kustomized(tree: _Tree, bases: Mapping[str, kustomize.Kustomization]) -> Iterator[_Item]:
    """Build every directory that no other one builds upon."""
    for folder in kustomize.roots({folder: base.files for folder, base in bases.items()}):
        if bases[folder].component:
            message = "a Kustomize component that nothing here uses: skipped"
            yield _Warned(Problem(Position(folder), "", message))
        else:
            yield from _built(folder, tree.kustomizations[folder])


def _built(folder: str, file: str) -> Iterator[_Item]:
    """What Kustomize made; reports place it in the kustomization file, as they can no folder."""
    built = kustomize.build(folder)
    yield from map(_Unread, built.problems)
    yield from map(_Warned, built.warnings)
    if built.text is not None:
        yield Text(file, built.text, generated=True, origins=built.origins)
    if built.problems:
        reason = "cannot be built: nothing of it is checked"
        yield NotModelled(Position(file), f"Kustomize base {folder}", "", "not modelled", reason)
