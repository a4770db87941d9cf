"""Reading recorded runs: what is read, and sentences about what is no run."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from kubelemma.reports.conformance import Answer
from kubelemma.runs.acceptance import judge_file
from kubelemma.runs.format import LONGEST, Write, read

HEADER = '{"src":"header","schema":2}'


def problem_of(path: Path, text: str | bytes) -> str:
    """What is wrong with a file that holds this, without its folder."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    problem = read(path).problem
    assert problem is not None
    return str(problem).replace(str(path), path.name)


def watch(**fields: Any) -> str:
    """The line of a write of a ConfigMap."""
    named = {"kind": "ConfigMap", "name": "c", "uid": "u", "object": {}}
    return json.dumps({"src": "watch", "rv": 1, "type": "ADDED", **named, **fields})


def test_plain_and_compressed_are_alike(tmp_path: Path) -> None:
    """A file may be compressed by gzip, whatever it is called; empty lines count for nothing."""
    text = f"{HEADER}\n\n{watch(actor='driver', via='create')}\n".encode()
    plain, compressed = tmp_path / "a.gz", tmp_path / "b.jsonl"
    plain.write_bytes(text)
    compressed.write_bytes(gzip.compress(text))
    assert read(plain).lines == read(compressed).lines
    ((number, line),) = read(plain).lines
    assert isinstance(line, Write)
    assert (number, line.rv, line.actor, line.via) == (3, 1, "driver", "create")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([""], "run: is empty, where a run was expected"),
        ([watch()], "run:1: src: is no header, which comes first"),
        ([HEADER, HEADER], "run:2: src: is a second header"),
        (["no run at all"], "run:1: is no JSON: JSON is malformed: invalid character (byte 4)"),
        ([HEADER, "[]"], "run:2: expected `object`, got `array`"),
        (
            [HEADER, '{"src":"wach"}'],
            (
                "run:2: src: 'wach' is no kind of line (did you mean \"watch\"?); "
                "expected header, snapshot, watch, request, driver or kubelet"
            ),
        ),
        ([HEADER, '{"rv":1}'], "run:2: object missing required field `src`"),
        ([HEADER, watch(rv="1")], "run:2: rv: expected `int`, got `str`"),
        ([HEADER, watch(type="CHANGED")], "run:2: type: invalid enum value 'CHANGED'"),
        (
            [HEADER, watch(rv=7), watch(rv=7, uid="v")],
            "run:3: rv: is 7, which is not above 7, the one before it",
        ),
        (
            [HEADER, watch(), watch(rv=2)],
            "run:3: type: ConfigMap c (uid u) is added, but is there already",
        ),
        (
            [HEADER, watch(type="DELETED")],
            "run:2: type: ConfigMap c (uid u) is deleted, but no line has added it",
        ),
        (
            ['{"src":"header","schema":3}'],
            "run:1: schema: is 3; runs of version 2 of the format can be read",
        ),
        (
            ['{"src":"header","kubernetesVersion":"v1.36.0"}'],
            "run:1: kubernetesVersion: v1.36.0 is newer than Kubernetes 1.35, which is modelled",
        ),
        (
            ['{"src":"header","kubernetesVersion":"new"}'],
            'run:1: kubernetesVersion: "new" is no version such as v1.35.6',
        ),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_sentences(tmp_path: Path, lines: list[str], expected: str) -> None:
    """What is wrong is said with file, line and field."""
    assert problem_of(tmp_path / "run", "".join(f"{line}\n" for line in lines if line)) == expected


def test_known_versions_are_read(tmp_path: Path) -> None:
    """A run of the modelled version, or an older one, is read."""
    for version in ("v1.35.6", "1.29.0", "v1.35.0-rc.1"):
        path = tmp_path / "run"
        path.write_text(f'{{"src":"header","kubernetesVersion":"{version}"}}\n')
        assert read(path).problem is None


def test_json_error_far_down(tmp_path: Path) -> None:
    """The line is counted to the end, and what stands before it is kept."""
    lines = [HEADER, *(watch(rv=n, uid=str(n)) for n in range(4709)), '{"src":"watch",']
    path = tmp_path / "run"
    assert problem_of(path, "\n".join(lines)).startswith("run:4711: is no JSON: ")
    assert len(read(path).lines) == 4709


def test_broken_compression(tmp_path: Path) -> None:
    """What can still be unpacked is kept."""
    text = "\n".join([HEADER, *(watch(rv=n, uid=str(n)) for n in range(2000))])
    packed = gzip.compress(text.encode())
    path = tmp_path / "run"
    message = problem_of(path, packed[: len(packed) // 2])
    assert "the compressed data breaks off or is damaged here" in message
    assert len(read(path).lines) > 100
    damaged = packed[:400] + bytes(100) + packed[500:]
    assert "the compressed data breaks off or is damaged here" in problem_of(path, damaged)


def test_large_files_that_are_no_run(tmp_path: Path) -> None:
    """A file without line breaks is given up early, and one of other lines at its first."""
    path = tmp_path / "run"
    assert problem_of(path, b"x" * (LONGEST + 2)) == "run:1: is longer than 32 MiB: this is no run"
    assert "run:1: is no JSON" in problem_of(path, b"\x00" * 1000 + b"\n" * 1000)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    """A missing file and a folder are sentences, too."""
    for path, expected in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        problem = read(path).problem
        assert problem is not None
        assert expected in str(problem)


def test_objects_of_another_shape(recorder: Any) -> None:
    """An object that has not the shape of its kind ends the run with the path of the field."""
    recorder.rolled_out("node-1")
    recorder.write("driver", "patch", "Deployment", "web", spec={"replicas": "many"})
    path = recorder.save()
    run = judge_file(path)
    assert str(run.problem) == (
        f"{path}:{len(recorder.lines)}: object.spec.replicas: Expected `int | null`, got `str`"
    )
    assert (run.answer, run.writes) == (Answer.BROKEN, 6)
