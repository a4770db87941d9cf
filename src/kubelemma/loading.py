"""Python files that bring controllers, events and properties: run, and what they declare.

Loading runs the file. It is for one's own code, as a test suite is.
"""

from __future__ import annotations

import hashlib
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, TypeAlias, TypeVar

from .model.components.reconcile.declarations import Controller, CustomEvent, DeclarationError
from .model.components.reconcile.legal import kind_refusal
from .model.findings import did_you_mean
from .model.manifests.problems import InvalidInput, Position, Problem
from .properties.catalogue import STATEMENTS
from .properties.declared import CustomProperty
from .properties.statement import Statement

Declared: TypeAlias = Controller | CustomEvent | CustomProperty
DeclaredT = TypeVar("DeclaredT", Controller, CustomEvent, CustomProperty)


class LoadedFile(NamedTuple):
    """A file that was run: where it is, and the SHA-256 of what it held."""

    path: str
    digest: str


class Extension(NamedTuple):
    """Everything that the loaded files declare, in the order in which they do.

    ``imported`` are the sources that their functions may use, neither installed nor Python's own.
    """

    files: tuple[LoadedFile, ...] = ()
    controllers: tuple[Controller, ...] = ()
    events: tuple[CustomEvent, ...] = ()
    properties: tuple[CustomProperty, ...] = ()
    imported: tuple[LoadedFile, ...] = ()

    @property
    def declared(self) -> tuple[Declared, ...]:
        """All that it declares."""
        return (*self.controllers, *self.events, *self.properties)

    @property
    def kinds(self) -> tuple[str, ...]:
        """All kinds that anything of it looks at."""
        return tuple(dict.fromkeys(kind for item in self.declared for kind in item.kinds))

    @property
    def statements(self) -> dict[str, Statement]:
        """What it promises, by identifier."""
        return {prop.statement.id: prop.statement for prop in self.properties}


def load_files(paths: Iterable[str]) -> Extension:
    """Run the files, and gather what they declare.

    Raises:
        InvalidInput: a file cannot be read or run, declares nothing, or what it declares cannot be
            checked.
    """
    files: list[LoadedFile] = []
    modules: list[ModuleType] = []
    imported: set[LoadedFile] = set()
    for path in dict.fromkeys(paths):
        source = _read(path)
        files.append(LoadedFile(path, hashlib.sha256(source).hexdigest()))
        modules.append(_run(path, source, imported))
    extension = Extension(
        tuple(files),
        tuple(_all_of(Controller, modules)),
        tuple(_all_of(CustomEvent, modules)),
        tuple(_all_of(CustomProperty, modules)),
        tuple(sorted(imported)),
    )
    problems = [*_empty(files, modules), *_wrong(extension)]
    if problems:
        raise InvalidInput(problems)
    return extension


def check_unchanged(files: Iterable[tuple[str, str]]) -> None:
    """Refuse files that do not hold what they held, given their SHA-256.

    Raises:
        InvalidInput: one is gone, or has changed.
    """
    problems = []
    for path, digest in files:
        try:
            now = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        except OSError as error:
            message = f"the counterexample was recorded with this file: {error.strerror}"
            problems.append(Problem(Position(path), "", f"{message}{_OTHERWISE}"))
            continue
        if now != digest:
            message = "has changed since the counterexample was recorded with it"
            problems.append(Problem(Position(path), "", f"{message}{_OTHERWISE}"))
    if problems:
        raise InvalidInput(problems)


_OTHERWISE = "; to replay with it as it is now, or with another one, name it with --load"


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InvalidInput([Problem(Position(path), "", error.strerror or str(error))]) from error


def _run(path: str, source: bytes, imported: set[LoadedFile]) -> ModuleType:
    """The module that the file makes; it finds its neighbours, as a script does.

    Adds to ``imported`` what it may have imported.
    """
    module = ModuleType(f"kubelemma_loaded_{Path(path).stem}")
    module.__file__ = path
    # Dataclasses look their module up while they are defined.
    sys.modules[module.__name__] = module
    folder = str(Path(path).absolute().parent)
    known = frozenset(sys.modules)
    sys.path.insert(0, folder)
    try:
        exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102 - what --load is for
    except SyntaxError as error:
        position = Position(error.filename or path, error.lineno or 0)
        raise InvalidInput([Problem(position, "", f"is no Python: {error.msg}")]) from error
    except (Exception, SystemExit) as error:
        raise InvalidInput([_failed(path, error)]) from error
    finally:
        sys.path.remove(folder)
        imported.update(_own_sources())
        _forget_neighbours(folder, known)
    return module


def _own_sources() -> Iterator[LoadedFile]:
    """The files of all modules that there are, but for what was installed, and Python's own.

    Who imported a module cannot be told of one that was there before.
    """
    ours = Path(__file__).parent
    apart = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")} | {ours}
    for name, module in tuple(sys.modules.items()):
        path = Path(getattr(module, "__file__", None) or "").absolute()
        if name == "__main__" or not path.is_file() or apart & set(path.parents):
            continue
        if not {"site-packages", "dist-packages"} & set(path.parts):
            yield LoadedFile(str(path), hashlib.sha256(path.read_bytes()).hexdigest())


def _forget_neighbours(folder: str, known: frozenset[str]) -> None:
    """Another file may have neighbours of the same names, or these may have changed by then."""
    for name in frozenset(sys.modules) - known:
        top = name.partition(".")[0]
        place = Path(folder) / top
        if top == __name__.partition(".")[0]:
            continue
        if place.with_suffix(".py").is_file() or (place / "__init__.py").is_file():
            del sys.modules[name]


def _failed(path: str, error: BaseException) -> Problem:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == path]
    position = Position(path, (lines[-1] if lines else None) or 0)
    if isinstance(error, DeclarationError):
        return Problem(position, "", str(error))
    what = f"{type(error).__name__}: {error}".removesuffix(": ")
    return Problem(position, "", f"cannot be loaded: {what}")


def _all_of(kind: type[DeclaredT], modules: Iterable[ModuleType]) -> Iterator[DeclaredT]:
    """What the modules declare themselves, or import from each other: each once."""
    found = {id(v): v for m in modules for v in vars(m).values() if isinstance(v, kind)}
    yield from found.values()


def _empty(files: Iterable[LoadedFile], modules: Iterable[ModuleType]) -> Iterator[Problem]:
    for file, module in zip(files, modules, strict=True):
        if not any(isinstance(value, Declared) for value in vars(module).values()):
            message = (
                "declares no controller, event or property: decorate functions with those of "
                "kubelemma.extending"
            )
            yield Problem(Position(file.path), "", message)


def _wrong(extension: Extension) -> Iterator[Problem]:
    """What is declared twice, or cannot be what it says."""
    taken = dict.fromkeys(STATEMENTS, "kubelemma itself")
    for prop in extension.properties:
        if prop.statement.id in taken:
            message = f"{prop.statement.id} is a property of {taken[prop.statement.id]} already"
            yield _problem(prop, message)
        taken[prop.statement.id] = prop.statement.source
    names: dict[str, str] = {}
    for item in extension.declared:
        if isinstance(item, CustomProperty):
            continue
        if item.name in names:
            yield _problem(item, f"{names[item.name]} declares a function of this name, too")
        names[item.name] = f"{item.code.file}:{item.code.line}"
    for item in extension.declared:
        for kind in item.kinds:
            if refusal := kind_refusal(kind):
                yield _problem(item, refusal)


def _problem(item: Declared, message: str) -> Problem:
    return Problem(Position(item.code.file, item.code.line), item.code.name, message)


def unknown_kinds(extension: Extension, known: Iterable[str]) -> Iterator[Problem]:
    """Kinds that nobody has heard of: neither Kubernetes nor a CustomResourceDefinition."""
    options = tuple(known)
    for item in extension.declared:
        for kind in item.kinds:
            if kind not in options:
                yield _problem(
                    item,
                    f'there is no kind "{kind}"{did_you_mean(kind, options)}: no manifest has its '
                    "CustomResourceDefinition, or an object of it",
                )
