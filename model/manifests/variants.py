"""Alternatives: folders that define the same objects, such as ``dev/`` and ``prod/``.

Nobody applies both, so each is looked at by itself, together with what lies in none of them. Where
folders part, their paths fork: at ``deploy`` into ``dev`` and ``prod``, and perhaps at
``deploy/prod`` once more. What several forks call alike goes together, as in ``shop/prod`` and
``mail/prod``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from kubelemma.model.findings import did_you_mean
from kubelemma.model.kinds.registry import stamp_of
from kubelemma.model.objects.pod import Pod

from .problems import InvalidInput, Position, Problem
from .reading import CheckManifest, Manifest, Manifests, name_in_messages

Path: TypeAlias = tuple[str, ...]
Is: TypeAlias = Callable[[str], bool]
Side: TypeAlias = tuple[Path, str]
"""A fork, and the way that is taken there: the name of a folder, or nothing for the fork's own."""

COMMON = "what is common to all"
"""How the objects are called that lie in none of the alternatives."""


class Variant(NamedTuple):
    """One of several alternatives, or all that there is.

    Attributes:
        name: of its folder; empty where there are no alternatives.
        manifests: what is there if it is chosen.
        own: the files that are asked about where all alternatives are; the others only stand by,
            since they are looked at elsewhere.
        others: what the other alternatives are called.
        paths: its folders.
    """

    name: str
    manifests: Manifests
    own: frozenset[str] = frozenset()
    others: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def variants(
    manifests: Manifests, folders: Mapping[str, str], read: Callable[[Is], Manifests]
) -> tuple[Variant, ...]:
    """Take the alternatives apart; at least one comes out.

    Args:
        manifests: everything that was read.
        folders: by file the folder that it was found in; what was named itself is in none.
        read: gives what is in some of the files.
    """
    paths = {file: _parts(folder) for file, folder in folders.items()}
    forks = _forks(_contested(manifests, paths))
    if not forks:
        return (Variant("", _once(manifests)),)
    sides = {file: _sides(path, forks) for file, path in paths.items()}
    files = [m.document.file for m in _everything(manifests)]
    taken = dict.fromkeys(sides.get(file, frozenset()) for file in files)
    groups = tuple(_groups(taken))
    names = [_name(group, groups) for group in groups]
    return tuple(
        Variant(
            name,
            _once(read(partial(_is_there, sides, group))),
            frozenset(file for file in files if sides.get(file, frozenset()) in group),
            tuple(other for other in names if other not in (name, COMMON)),
            tuple(_path(sides) for sides in group if sides),
        )
        for group, name in zip(groups, names, strict=True)
    )


def told(found: tuple[Variant, ...], folders: Iterable[str]) -> tuple[Variant, ...]:
    """The alternatives of which a folder was named by itself, with what is common; else all."""
    inside = [[v for v in found if any(_is_in(p, f) for p in v.paths)] for f in folders]
    meant = [each[0] for each in inside if len(each) == 1]
    if not meant:
        return found
    kept = tuple(v for v in found if any(v is each for each in meant))
    if len(kept) == 1:
        return (kept[0]._replace(own=frozenset()),)
    return tuple(v for v in found if v in kept or v.name == COMMON)


def _is_in(path: str, folder: str) -> bool:
    """Whether a folder is another one, or lies in it."""
    own, other = (_parts(posixpath.normpath(each)) for each in (path, folder))
    return own[: len(other)] == other


def choose(found: tuple[Variant, ...], name: str) -> tuple[Variant, ...]:
    """The alternative of this name, with all that is there beside it; all, if there is no name.

    It may also be named by the path of its folder.

    Raises:
        InvalidInput: there is none of this name.
    """
    if not name:
        return found
    path = posixpath.normpath(name)
    chosen = [
        variant
        for variant in found
        if name != COMMON
        and (variant.name == name or path in map(posixpath.normpath, variant.paths))
    ]
    if not chosen:
        known = tuple(variant.name for variant in found if variant.name not in ("", COMMON))
        have = f"there are {', '.join(known)}" if known else "no folders define the same objects"
        message = f'there is no alternative "{name}": {have}{did_you_mean(name, known)}'
        raise InvalidInput([Problem(Position("--variant"), "", message)])
    return (chosen[0]._replace(own=frozenset()),)


def duplicates(manifests: Manifests) -> Iterator[Problem]:
    """Objects of one name; of two files that have several in common, the first."""
    first: dict[str, Position] = {}
    twice: dict[tuple[str, str], list[tuple[Position, str]]] = {}
    for manifest in _everything(manifests):
        name = _identity(manifest)
        position = manifest.document.at(("metadata", "name"))
        if name in first:
            message = f"{name} is defined twice (first in {first[name]})"
            twice.setdefault((position.file, first[name].file), []).append((position, message))
        first.setdefault(name, position)
    for (file, other), found in twice.items():
        told = found if file == other else found[:1]
        more = len(found) - len(told)
        also = f", and {more} more of these two files are: are they alternatives? name one"
        for position, message in told:
            yield Problem(position, "metadata.name", message + (also if more else ""))


_Sides: TypeAlias = frozenset[Side]
_Named: TypeAlias = Manifest[Any] | CheckManifest


def _everything(manifests: Manifests) -> list[_Named]:
    """The objects and the scenarios."""
    return [*manifests.objects, *manifests.checks]


def _parts(folder: str) -> Path:
    return tuple(part for part in folder.split(posixpath.sep) if part != ".")


def _identity(manifest: _Named) -> str:
    thing = manifest.check if isinstance(manifest, CheckManifest) else manifest.object
    return name_in_messages(manifest.document.data, thing.metadata)


def _makes_pods(manifest: _Named) -> bool:
    if isinstance(manifest, CheckManifest):
        return False
    return isinstance(manifest.object, Pod) or stamp_of(manifest.object) is not None


def _contested(manifests: Manifests, paths: Mapping[str, Path]) -> Iterator[frozenset[Path]]:
    """The folders of each object that several define.

    What they say word by word alike, as of their namespace, makes them no alternatives, unless it
    is about pods.
    """
    found: dict[str, list[_Named]] = {}
    for manifest in _everything(manifests):
        if manifest.document.file in paths:
            found.setdefault(_identity(manifest), []).append(manifest)
    for alike in found.values():
        folders = frozenset(paths[m.document.file] for m in alike)
        same = all(m.document.data == alike[0].document.data for m in alike)
        if len(folders) > 1 and (not same or _makes_pods(alike[0])):
            yield folders


def _forks(contested: Iterable[frozenset[Path]]) -> dict[Path, frozenset[str]]:
    """Where paths part, and into which folders."""
    forks: dict[Path, set[str]] = {}
    rest = [(folders, 0) for folders in contested]
    while rest:
        folders, depth = rest.pop()
        ways: dict[str, set[Path]] = {}
        for folder in folders:
            ways.setdefault(_way(folder, depth), set()).add(folder)
        if len(ways) > 1:
            forks.setdefault(next(iter(folders))[:depth], set()).update(ways)
        rest += [(frozenset(inner), depth + 1) for inner in ways.values() if len(inner) > 1]
    return {fork: frozenset(ways) for fork, ways in sorted(forks.items())}


def _way(path: Path, depth: int) -> str:
    return path[depth] if len(path) > depth else ""


def _sides(path: Path, forks: Mapping[Path, frozenset[str]]) -> _Sides:
    """The ways that have to be taken for a folder to be there."""
    return frozenset(
        (fork, way)
        for fork, ways in forks.items()
        if path[: len(fork)] == fork and (way := _way(path, len(fork))) in ways
    )


def _groups(taken: Iterable[_Sides]) -> Iterator[tuple[_Sides, ...]]:
    """What goes together: sides of several forks that are called alike."""
    left = sorted(taken, key=sorted)
    while left:
        first = left.pop(0)
        group = [first]
        for other in tuple(left) if first else ():
            if _last(other) == _last(first) and _compatible(other, group):
                group.append(other)
                left.remove(other)
        yield tuple(group)


def _last(sides: _Sides) -> str:
    return max(sides)[1] if sides else ""


def _compatible(sides: _Sides, group: Iterable[_Sides]) -> bool:
    """Whether all of them can be chosen at once, and none is only the frame of another."""
    ways = {fork: way for other in group for fork, way in other}
    apart = all(ways.get(fork, way) == way for fork, way in sides)
    return apart and bool(sides) and not any(sides <= other or other <= sides for other in group)


def _name(group: tuple[_Sides, ...], groups: Iterable[tuple[_Sides, ...]]) -> str:
    """The last part of its path, if that is enough; else the whole."""
    if group == (frozenset(),):
        return COMMON
    last = _last(group[0])
    alike = [other for other in groups if other[0] and _last(other[0]) == last]
    return last if last and len(alike) == 1 else _path(group[0])


def _path(sides: _Sides) -> str:
    """The way to a folder; that to a fork's own files ends in a slash."""
    fork, way = max(sides)
    path = posixpath.join(".", *(part or posixpath.sep for part in fork), way)
    return path.removeprefix("./") or "./"


def _is_there(sides: Mapping[str, _Sides], group: tuple[_Sides, ...], file: str) -> bool:
    """Whether a file is part of an alternative."""
    chosen = frozenset(side for part in group for side in part)
    return sides.get(file, frozenset()) <= chosen


def _once(manifests: Manifests) -> Manifests:
    """Without what files of different folders say alike of what is no workload."""
    first: dict[str, Manifest[Any]] = {}
    kept = []
    for manifest in manifests.objects:
        name = _identity(manifest)
        before = first.setdefault(name, manifest)
        if before is manifest or not _repeats(manifest, before):
            kept.append(manifest)
    return manifests._replace(objects=tuple(kept))


def _repeats(manifest: Manifest[Any], before: Manifest[Any]) -> bool:
    folders = {posixpath.dirname(m.document.file) for m in (manifest, before)}
    same = manifest.document.data == before.document.data
    return same and len(folders) > 1 and not _makes_pods(manifest)
