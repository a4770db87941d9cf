"""Files, directories and Kustomize: what is read, in which order, and what is said where not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kubelemma.model.manifests import InvalidInput, Manifests, Source, load

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {}}}\n"
KUSTOMIZATION = "resources: [{}]\n"
ADDRESS = "https://example.com/web.yaml"
Tree = Callable[[dict[str, str]], str]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """Write files, go to their directory, and have no Kustomize there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")

    def write(files: dict[str, str]) -> str:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return "."

    return write


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Install a program that answers ``kubectl kustomize DIR``."""

    def install(script: str) -> None:
        program = tmp_path / ".bin" / "kubectl"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent))

    return install


def names(manifests: Manifests) -> list[str]:
    """The names of all objects, in order."""
    return [manifest.object.metadata.name for manifest in manifests.objects]


def said(*sources: str, kustomize: bool = True) -> list[str]:
    """What is said of sources that cannot be used."""
    with pytest.raises(InvalidInput) as refused:
        load([Source(name) for name in sources], kustomize=kustomize)
    return [str(problem) for problem in refused.value.problems]


def test_directories(tree: Tree) -> None:
    """A directory is read to its depth, sorted; other files and hidden directories are left out."""
    top = tree(
        {
            "b.yml": NAMESPACE.format("b"),
            "a.yaml": NAMESPACE.format("a"),
            "c.json": '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "c"}}',
            "README.md": "no manifest",
            "deep/er/d.yaml": NAMESPACE.format("d"),
            ".github/workflow.yaml": "on: push",
            "e.yaml": "# nothing\n",
        }
    )
    manifests = load([Source(top)])
    assert names(manifests) == ["a", "b", "c", "d"]
    assert [str(w) for w in manifests.warnings] == ["e.yaml: holds no document: nothing to check"]


def test_a_file_is_read_once(tree: Tree) -> None:
    """A file that is given twice, by whatever name, alone or in its directory, is read once."""
    tree({"dir/a.yaml": NAMESPACE.format("a")})
    Path("link.yaml").symlink_to("dir/a.yaml")
    given = ("dir/a.yaml", "dir", "./dir/", "./dir/a.yaml", str(Path.cwd()), "link.yaml")
    assert names(load([Source(name) for name in given])) == ["a"]


def test_a_directory_that_may_not_be_read(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said once, and not taken for one without manifests."""
    tree({"dir/a.yaml": NAMESPACE.format("a")})

    def refused(_path: object) -> None:
        raise PermissionError(13, "Permission denied", "dir")

    monkeypatch.setattr("os.scandir", refused)
    assert said("dir") == ["dir: cannot be read: Permission denied"]


def test_standard_input() -> None:
    """What was read already, as text or as bytes, keeps the name it is given."""
    text = NAMESPACE.format("a")
    (a,) = load([Source("<stdin>", text)]).objects
    (b,) = load([Source("<stdin>", text.encode())]).objects
    assert (a, str(a.document.at("kind"))) == (b, "<stdin>:2")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "input: an empty path: a variable that is not set?"),
        ("web.yml", 'web.yml: no such file or directory (did you mean "web.yaml"?)'),
        ("none/web.yml", "none/web.yml: no such file or directory"),
        ("a\0b", "a\\x00b: no name of a file (a NUL byte in it?)"),
        ("x" * 300, f"{'x' * 300}: cannot be read: File name too long"),
        (
            ADDRESS,
            f"{ADDRESS}: no such file or directory (an address: download it first)",
        ),
        ("empty", "empty: no *.yaml, *.yml, *.json in this directory: nothing to check"),
        ("zero.yaml", "zero.yaml: holds no document: nothing to check"),
    ],
)
def test_nothing_to_read(tree: Tree, source: str, message: str) -> None:
    """What is not there, or holds nothing, is an error and never an empty check."""
    tree({"web.yaml": NAMESPACE.format("a"), "empty/README.md": "", "zero.yaml": ""})
    assert said(source) == [message]


def test_no_sources() -> None:
    """Nothing at all is an error too."""
    assert said() == ["input: no file or directory given: nothing to check"]


def test_unreadable(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system does not let us read is told in the system's words."""
    tree({"a.yaml": NAMESPACE.format("a"), "b/b.yaml": NAMESPACE.format("b")})

    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(path), None, mode)

    monkeypatch.setattr(Path, "open", refuse)
    assert said("a.yaml", "b") == [
        "a.yaml: cannot be read: Permission denied",
        "b/b.yaml: cannot be read: Permission denied",
    ]


def test_problems_are_in_reading_order(tree: Tree) -> None:
    """All problems of all sources are told, in the order of the sources and of their lines."""
    bad = "apiVersion: v1\nkind: Namespace\nmetadata: {name: A}\n"
    tree({"b.yaml": f"{bad}---\na: b: c\n---\n{bad}", "a.yaml": bad})
    assert [message.split(": ")[0] for message in said("b.yaml", "a.yaml", "c.yaml")] == [
        "c.yaml",
        "b.yaml:3",
        "b.yaml:5",
        "b.yaml:9",
        "a.yaml:3",
    ]


def test_kustomize_is_missing(tree: Tree) -> None:
    """Without Kustomize a directory for it is an error that says what to do."""
    tree({"base/kustomization.yaml": KUSTOMIZATION.format("a.yaml"), "base/a.yaml": "a: 1\n"})
    (message,) = said("base")
    assert message == (
        "base: is a Kustomize directory, and neither kubectl nor kustomize is installed: install "
        "one of them, or read its files as they are with --no-kustomize"
    )


def test_kustomize_is_turned_off(tree: Tree) -> None:
    """With Kustomize turned off the files are read as they are, and that is said."""
    top = tree(
        {"kustomization.yml": KUSTOMIZATION.format("a.yaml"), "a.yaml": NAMESPACE.format("a")}
    )
    manifests = load([Source(top)], kustomize=False)
    assert names(manifests) == ["a"]
    warning = "kustomization.yml: skipped: Kustomize is turned off"
    assert [str(w) for w in manifests.warnings] == [warning]
    Path("a.yaml").unlink()
    message = ".: no *.yaml, *.yml, *.json in this directory: nothing to check"
    assert said(".", kustomize=False) == [message]


def test_kustomize_builds_roots(tree: Tree, kubectl: Callable[[str], None]) -> None:
    """Of several Kustomize directories those are built that no other one builds upon."""
    tree(
        {
            "base/kustomization.yaml": KUSTOMIZATION.format("a.yaml"),
            "base/a.yaml": NAMESPACE.format("a"),
            "base/patches/p.yaml": "no: manifest\n",
            "parts/x/kustomization.yaml": "kind: Component\n",
            "parts/y/kustomization.yaml": "kind: Component\n",
            "prod/kustomization.yaml": "resources: [../base]\ncomponents: [../parts/x]\n",
            "test/Kustomization": "bases: [../base/]\nresources: [b.yaml]\n",
            "plain.yaml": NAMESPACE.format("plain"),
        }
    )
    name = '"$(/usr/bin/basename "$2")"'
    kubectl(f"echo apiVersion: v1; echo kind: Namespace; echo metadata: '{{name: '{name}'}}'")
    manifests = load([Source(".")])
    assert names(manifests) == ["plain", "prod", "test"]
    assert [str(m.document.at("kind")) for m in manifests.objects[1:]] == [
        "prod/kustomization.yaml (Namespace prod)",
        "test/Kustomization (Namespace test)",
    ]
    warning = "parts/y: a Kustomize component that nothing here uses: skipped"
    assert [str(w) for w in manifests.warnings] == [warning]


@pytest.mark.parametrize("top", [".", "base", "./base/"])
def test_kustomize_owns_its_files(tree: Tree, kubectl: Callable[[str], None], top: str) -> None:
    """Files below a kustomization are Kustomize's to read, wherever the tree begins."""
    folder = "." if top == "." else "base"
    raw = {"a.yaml": NAMESPACE.format("raw"), "deep/b.yaml": NAMESPACE.format("raw")}
    tree({f"{folder}/{name}": text for name, text in raw.items()})
    tree({f"{folder}/kustomization.yaml": KUSTOMIZATION.format("a.yaml")})
    kubectl("echo '{apiVersion: v1, kind: Namespace, metadata: {name: built}}'")
    assert names(load([Source(top)])) == ["built"]


def test_what_no_kustomization_names(tree: Tree, kubectl: Callable[[str], None]) -> None:
    """Manifests beside a kustomization file that are not read are counted, patches are not."""
    tree({f"base/{name}.yaml": NAMESPACE.format(name) for name in "abcdef"})
    tree({"base/kustomization.yaml": "resources: [a.yaml]\npatches: [{path: b.yaml}]\n"})
    tree({"base/values.yaml": "replicas: 1\n", "base/broken.yaml": "apiVersion: v1\nkind: [\n"})
    kubectl("echo '{apiVersion: v1, kind: Namespace, metadata: {name: built}}'")
    (warning,) = load([Source("base")]).warnings
    assert str(warning) == (
        "base/kustomization.yaml: 5 manifests beside it are named by no kustomization, and not "
        "read: broken.yaml, c.yaml, d.yaml, … (--no-kustomize reads the files as they are)"
    )


def test_kustomize_output_has_problems(tree: Tree, kubectl: Callable[[str], None]) -> None:
    """Problems of generated text name the kustomization and the object instead of a line."""
    tree({"base/kustomization.yaml": "resources: []\n"})
    kubectl("echo '{apiVersion: v1, kind: Namespace, metadata: {name: A}}'; echo beware >&2")
    (message,) = said("base")
    assert message == (
        'base/kustomization.yaml (Namespace A): metadata.name: "A" is no valid name: only '
        'lower-case letters, digits and "-" (did you mean "a"?)'
    )
    kubectl_says = load_warnings("base", "echo beware >&2; echo 'apiVersion: v1\nkind: Lease'")
    assert kubectl_says == ["base: Kustomize says: beware"]


def load_warnings(directory: str, script: str) -> list[str]:
    """The warnings of a directory that a changed program builds."""
    Path(".bin/kubectl").write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    return [str(warning) for warning in load([Source(directory)]).warnings]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'no file a.yaml' >&2; exit 1", "no file a.yaml"),
        (
            """echo 'E1 run.go:72] "command failed" err="no \\"a.yaml\\""' >&2; exit 1""",
            'no "a.yaml"',
        ),
        (
            r"""printf '# Warning: x\nE1 go] "command failed" err=<\n\tno b\n >\n' >&2; exit 1""",
            "no b",
        ),
        ("exit 3", "exit code 3"),
    ],
)
def test_kustomize_fails(
    tree: Tree, kubectl: Callable[[str], None], script: str, reason: str
) -> None:
    """What Kustomize complains of is handed on, out of the log format around it."""
    tree({"base/kustomization.yaml": "resources: [a.yaml]\n"})
    kubectl(script)
    hint = "(--no-kustomize reads the files as they are)"
    assert said("base") == [f"base: Kustomize failed: {reason} {hint}"]


def test_kustomize_hangs(
    tree: Tree, kubectl: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Kustomize that does not end is ended."""
    monkeypatch.setattr("kubelemma.model.manifests.kustomize._SECONDS", 0.2)
    tree({"base/kustomization.yaml": "resources: []\n"})
    kubectl("while :; do :; done")
    assert said("base") == ["base: Kustomize did not end within 0.2 seconds"]


def test_kustomize_cannot_run(tree: Tree, kubectl: Callable[[str], None]) -> None:
    """A program that cannot be run is an error and no traceback."""
    tree({"base/kustomization.yaml": "resources: []\n"})
    kubectl("true")
    program = Path(".bin/kubectl")
    program.write_text("#!/no/such/shell\n", "utf-8")
    (message,) = said("base")
    assert message.endswith("cannot be run: No such file or directory")


def test_resources_of_a_check(tree: Tree) -> None:
    """The resources of a scenario are seen from where its file is."""
    text = (
        "apiVersion: kubelemma.dev/v1alpha1\nkind: Check\nmetadata: {name: a}\n"
        "spec: {resources: [web.yaml, ../b/]}\n"
    )
    tree(
        {
            "dir/check.yaml": text,
            "dir/web.yaml": NAMESPACE.format("w"),
            "b/b.yaml": NAMESPACE.format("b"),
        }
    )
    (check,) = load([Source("dir/check.yaml")]).checks
    assert check.resources() == ("dir/web.yaml", "dir/../b/")
    assert names(load([Source(path) for path in check.resources()])) == ["w", "b"]
