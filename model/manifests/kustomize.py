"""Kustomize directories: finding those of a tree that are built, and building them.

The tool itself is asked (``kubectl kustomize``), because nothing else knows what it makes of
patches, generators and overlays.
"""

from __future__ import annotations

import json
import os.path
import re
import shutil
import subprocess  # Kustomize is a program; there is no library of it
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .documents import name_of, parse
from .origins import annotation_of, path_in
from .problems import Position, Problem

FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_SECONDS = 60
AS_THEY_ARE = " (--no-kustomize reads the files as they are)"
_KLOG_ERROR = re.compile(r'\berr="((?:[^"\\]|\\.)*)"')
_KLOG_FRAME = re.compile(r'[EWI]\d+ .*\] "command failed" err=<|>')
"""What stands above and below a complaint of several lines."""
_ADVICE = "# Warning:"
"""How lines begin that say what Kustomize would rather read: they are no reason to fail."""
_COMMANDS = (("kubectl", "kustomize"), ("kustomize", "build"))


class Built(NamedTuple):
    """What Kustomize said: the manifests, or why there are none, and its warnings.

    ``origins`` are the files that objects came from, by what the objects are called.
    """

    text: str | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    origins: Mapping[str, str] = {}


class Kustomization(NamedTuple):
    """What a kustomization file says.

    Attributes:
        files: the files and directories that it names, seen from where its directory is seen.
        component: whether it is a part for others, which cannot be built by itself.
    """

    files: frozenset[str]
    component: bool


def kustomization(directory: str, text: str) -> Kustomization:
    """Read the text of the kustomization file of a directory, as far as it can be read."""
    data = _data(text)
    named = frozenset(
        os.path.normpath(Path(directory, path))
        for path in _texts([data.get(key) for key in _NAMING])
        if path and "\n" not in path
    )
    return Kustomization(named - {os.path.normpath(directory)}, data.get("kind") == "Component")


_NAMING = (
    *("resources", "bases", "components", "patches", "patchesStrategicMerge", "patchesJson6902"),
    *("configurations", "crds", "generators", "transformers", "validators", "replacements"),
    *("configMapGenerator", "secretGenerator", "openapi", "helmCharts"),
)
"""The fields that name files."""


def _texts(data: Any) -> Iterator[str]:
    """All strings inside some data; files of generators may stand behind a key and ``=``."""
    if isinstance(data, str):
        yield data
        yield data.partition("=")[2]
    elif isinstance(data, list | dict):
        for value in data.values() if isinstance(data, dict) else data:
            yield from _texts(value)


def roots(bases: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The directories that no other one builds upon, sorted; all, where they build on each other.

    ``bases``: each kustomization directory to the paths that it builds upon.
    """
    used = {path for paths in bases.values() for path in paths}
    return tuple(sorted(bases.keys() - used or bases.keys()))


def build(directory: str) -> Built:
    """Run ``kubectl kustomize``, or else ``kustomize build``, on one directory."""
    command = _command()
    if command is None:
        return _failed(
            directory,
            "is a Kustomize directory, and neither kubectl nor kustomize is installed: install one "
            "of them, or read its files as they are with --no-kustomize",
        )
    try:
        done = _run(command, Path(directory).absolute())
    except subprocess.TimeoutExpired:
        return _failed(directory, f"Kustomize did not end within {_SECONDS} seconds")
    except OSError as error:
        return _failed(directory, f"{command[0]} cannot be run: {error.strerror}")
    said = _relayed(done.stderr)
    if done.returncode != 0:
        causes = [line for line in said if not line.startswith(_ADVICE)] or said
        reason = "; ".join(causes) or f"exit code {done.returncode}"
        return _failed(directory, f"Kustomize failed: {reason}{AS_THEY_ARE}")
    warnings = tuple(Problem(Position(directory), "", f"Kustomize says: {line}") for line in said)
    return Built(done.stdout, warnings=warnings, origins=_origins(command, directory))


def _run(command: tuple[str, str], directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # the program is ours, the directory the user's own
        [*command, str(directory)],
        capture_output=True,
        check=False,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=_SECONDS,
    )


def _origins(command: tuple[str, str], directory: str) -> Mapping[str, str]:
    """Where the objects come from that were built from a directory; nothing where that is unknown.

    It is built once more, by a kustomization of our own that asks for it: the user's file decides
    only about itself.
    """
    top = os.path.realpath(directory)
    with tempfile.TemporaryDirectory() as own:
        base = os.path.relpath(top, os.path.realpath(own))
        asked = {"resources": [base], "buildMetadata": ["originAnnotations"]}
        Path(own, FILE_NAMES[0]).write_text(json.dumps(asked), "utf-8")
        try:
            done = _run(command, Path(own))
        except (subprocess.TimeoutExpired, OSError):
            return {}
        documents = parse("", done.stdout).documents if done.returncode == 0 else ()
        found = {key_of(d.data): path_in(annotation_of(d.data)) for d in documents}
        return {
            key: os.path.relpath(os.path.realpath(Path(own, path)))
            for key, path in found.items()
            if path is not None
        }


def key_of(data: Any) -> str:
    """What an object is called in some output of Kustomize: its kind, namespace and name."""
    metadata = data.get("metadata") if isinstance(data, dict) else None
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    return f"{namespace or ''}/{name_of(data)}"


def _command() -> tuple[str, str] | None:
    for program, word in _COMMANDS:
        path = shutil.which(program)
        if path is not None:
            return path, word
    return None


def _failed(directory: str, message: str) -> Built:
    return Built(None, (Problem(Position(directory), "", message),))


def _relayed(stderr: str) -> tuple[str, ...]:
    """What a program complained of, line by line, out of kubectl's log format."""
    lines = (line.strip() for line in stderr.splitlines())
    return tuple(_unwrapped(line) for line in lines if line and not _KLOG_FRAME.fullmatch(line))


def _unwrapped(line: str) -> str:
    match = _KLOG_ERROR.search(line)
    return match.group(1).replace('\\"', '"').replace("\\n", "; ") if match else line


def _data(text: str) -> dict[str, Any]:
    """The file's data as far as it can be read; Kustomize itself says what is wrong with it."""
    documents = parse("", text).documents
    data = documents[0].data if documents else {}
    return data if isinstance(data, dict) else {}
