"""Folders of real repositories: what is skipped, and what are alternatives."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.manifests import Intake, InvalidInput, Manifests, Source, choose, intake, load
from kubelemma.model.manifests.documents import parse
from kubelemma.model.manifests.foreign import foreign
from kubelemma.model.manifests.reading import interpret
from kubelemma.model.manifests.variants import COMMON, duplicates, variants
from kubelemma.testing.given import ask_about

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {}}}
spec:
  replicas: {}
  selector: {{matchLabels: {{app: a}}}}
  template:
    metadata: {{labels: {{app: a}}}}
    spec: {{containers: [{{name: c, image: x}}]}}
"""
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {}, labels: {{at: '{}'}}}}\n"
Tree = Callable[[dict[str, str]], None]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """Write files, go to their directory, and have no Kustomize there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")

    def write(files: dict[str, str]) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    return write


def names(found: Intake) -> dict[str, list[str]]:
    """The objects of each alternative, with the number of replicas where there is one."""
    return {
        variant.name: [
            m.object.metadata.name + str(getattr(getattr(m.object, "spec", None), "replicas", ""))
            for m in variant.manifests.objects
        ]
        for variant in found.variants
    }


def said(*sources: str, strict: bool = False) -> list[str]:
    """What is said of sources that cannot be used."""
    with pytest.raises(InvalidInput) as refused:
        intake([Source(name) for name in sources], strict=strict)
    return [str(problem) for problem in refused.value.problems]


FOREIGN = {
    "values-prod.yaml": ("image: {tag: v1}", "values of a Helm chart"),
    "board.json": ('{"title": "Latency", "panels": []}', "a Grafana dashboard"),
    "compose.yaml": ("services: {web: {image: x}}", "a Docker Compose file"),
    "package.json": ('{"name": "web", "dependencies": {}}', "a file of a package manager"),
    "ci.yaml": ("name: x\nruns: {using: composite}", "a file of CI"),
    "api.yaml": ("openapi: 3.0.0\ninfo: {}", "a description of an API"),
    "play.yaml": ("- hosts: all\n", "a list: a playbook, or a JSON patch"),
    "kube.yaml": ("apiVersion: v1\nkind: Config\nclusters: []", "a kubeconfig"),
    "odd.yaml": ("a: 1", "apiVersion and kind are missing"),
    "word.yaml": ("just a text", "text"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file(tree: Tree, name: str) -> None:
    """It is skipped in a folder, with what it may be; named itself, or strictly, it is an error."""
    text, what = FOREIGN[name]
    tree({"d/a.yaml": NAMESPACE.format("a", 1), f"d/{name}": text})
    found = intake([Source("d")])
    assert names(found) == {"": ["a"]}
    (warning,) = found.warnings
    assert str(warning).startswith(f"d/{name}:1: skipped: no Kubernetes object")
    assert what in str(warning)
    (strictly,) = said("d", strict=True)
    assert strictly == str(warning).replace("skipped: ", "")
    assert len(said("d/a.yaml", f"d/{name}")) == 1


TEMPLATES = {
    "a block": "{{- if .Values.on }}\napiVersion: v1\nkind: Namespace\n{{- end }}\n",
    "a name": "apiVersion: v1\nkind: Namespace\nmetadata: {name: {{ .Release.Name }}}\n",
    "a quoted name": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: '{{ name }}'\n",
    "a variable": DEPLOYMENT.format("b", "${REPLICAS}"),
    "Jinja": "{% if on %}\napiVersion: v1\nkind: Namespace\n{% endif %}\n",
    "values": "{{ x }}: 1\n",
}


@pytest.mark.parametrize("what", TEMPLATES)
def test_a_template(tree: Tree, what: str) -> None:
    """A file that is wrong where a placeholder stands is skipped as a template."""
    tree({"d/a.yaml": NAMESPACE.format("a", 1), "d/t.yaml": TEMPLATES[what]})
    found = intake([Source("d")])
    assert names(found) == {"": ["a"]}
    (warning,) = found.warnings
    assert "skipped: a template, which has to be rendered first" in str(warning)
    assert said("d/t.yaml")


MEANT = {
    "a misspelt field": "apiVersion: v1\nkind: Namespace\nmetadata: {name: A}\n",
    "a misspelt key": "apiVersoin: v1\nkind: Namespace\nmetadata: {name: a}\n",
    "no kind": "apiVersion: v1\nmetadata: {name: a}\nspec: {}\n",
    "no YAML": "apiVersion: v1\nkind: Namespace\nmetadata: {name: a\n",
    "a misspelt kind": "apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: a}\n",
    "half of it": NAMESPACE.format("b", 1) + "---\nfoo: 1\n",
}


@pytest.mark.parametrize("what", MEANT)
def test_meant_for_the_api_server(tree: Tree, what: str) -> None:
    """What somebody wrote for the API server is never skipped for being wrong."""
    tree({"d/a.yaml": NAMESPACE.format("a", 1), "d/wrong.yaml": MEANT[what]})
    (message,) = said("d")
    assert message.startswith("d/wrong.yaml:")


def test_placeholders_in_strings_are_no_template(tree: Tree) -> None:
    """A file in which nothing is wrong is read, whatever stands in its strings."""
    text = NAMESPACE.format("a", 1) + "---\n" + DEPLOYMENT.format("b", 1)
    tree({"d/a.yaml": text.replace("image: x", 'image: x, args: ["{{ $labels.pod }}", "${A}"]')})
    assert names(intake([Source("d")])) == {"": ["a", "b1"]}


def test_a_chart(tree: Tree) -> None:
    """A Helm chart is pointed out, with all that is Helm's; what else lies there is read."""
    tree(
        {
            "c/Chart.yaml": "apiVersion: v2\nname: c\n",
            "c/values.yaml": "a: 1\n",
            "c/templates/t.yaml": NAMESPACE.format("t", 1),
            "c/charts/sub/Chart.yaml": "apiVersion: v2\nname: sub\n",
            "c/extra/a.yaml": NAMESPACE.format("a", 1),
        }
    )
    found = intake([Source("c")])
    assert names(found) == {"": ["a"]}
    assert sorted(map(str, found.warnings)) == [
        "c/Chart.yaml: skipped: a Helm chart; to have it read: helm template c | kubelemma check -",
        "c/charts/sub/Chart.yaml: skipped: part of the Helm chart c",
        "c/templates/t.yaml: skipped: part of the Helm chart c",
        "c/values.yaml: skipped: part of the Helm chart c",
    ]


def test_nothing_but_foreign_files(tree: Tree) -> None:
    """Where nothing is left, what was skipped is why."""
    tree({"c/Chart.yaml": "apiVersion: v2\nname: c\n"})
    (message,) = said("c")
    assert message == (
        "c/Chart.yaml: a Helm chart; to have it read: helm template c | kubelemma check -"
    )


def test_a_base_that_cannot_be_built(tree: Tree) -> None:
    """It costs only itself, and is listed; its files are not read without it."""
    tree(
        {
            "base/kustomization.yaml": "resources: [a.yaml]\n",
            "base/a.yaml": NAMESPACE.format("a", 1),
            "other/b.yaml": NAMESPACE.format("b", 1),
        }
    )
    found = intake([Source(".")])
    assert names(found) == {"": ["b"]}
    assert [str(p).split(":")[0] for p in found.problems] == ["base"]
    (left,) = found.variants[0].manifests.not_modelled
    assert str(left).endswith("Kustomize base base: cannot be built: nothing of it is checked")
    with pytest.raises(InvalidInput):
        load([Source(".")])


def test_what_kustomize_names_is_its_own(tree: Tree) -> None:
    """Files outside of a base that it names are read by Kustomize alone."""
    tree(
        {
            "app/kustomization.yaml": "resources: [../shared/web.yaml]\npatches: [path: ../p.yaml]",
            "shared/web.yaml": DEPLOYMENT.format("web", 1),
            "p.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
            "other/b.yaml": NAMESPACE.format("b", 1),
        }
    )
    assert names(intake([Source(".")])) == {"": ["b"]}


def test_a_base_that_names_its_own_folder(tree: Tree) -> None:
    """A setting that reads like the folder itself does not keep a base from being built."""
    tree(
        {
            "base/kustomization.yaml": "configMapGenerator: [{name: a, literals: [A=.]}]\n",
            "b.yaml": NAMESPACE.format("b", 1),
        }
    )
    assert [str(p).split(":")[0] for p in intake([Source(".")]).problems] == ["base"]


def test_a_test_is_about_all_of_it(tree: Tree) -> None:
    """What cannot be built costs a test of a user more than itself."""
    tree(
        {
            "d/base/kustomization.yaml": "resources: [a.yaml]\n",
            "d/web.yaml": DEPLOYMENT.format("web", 1),
        }
    )
    with pytest.raises(InvalidInput, match="is a Kustomize directory"):
        ask_about(["d"], {"events": "none"})


def test_alternatives(tree: Tree) -> None:
    """Folders that define the same objects are alternatives; the rest is there with each."""
    tree(
        {
            "dev/web.yaml": DEPLOYMENT.format("web", 1),
            "prod/web.yaml": DEPLOYMENT.format("web", 3),
            "prod/more.yaml": DEPLOYMENT.format("more", 2),
            "db/db.yaml": DEPLOYMENT.format("db", 1),
        }
    )
    found = intake([Source(".")])
    assert names(found) == {
        COMMON: ["db1"],
        "dev": ["db1", "web1"],
        "prod": ["db1", "more2", "web3"],
    }
    assert {v.name: sorted(v.own) for v in found.variants} == {
        COMMON: ["db/db.yaml"],
        "dev": ["dev/web.yaml"],
        "prod": ["prod/more.yaml", "prod/web.yaml"],
    }
    (prod,) = choose(found.variants, "prod")
    assert (prod.name, prod.own) == ("prod", frozenset())
    with pytest.raises(InvalidInput, match='no alternative "prd": there are dev, prod'):
        choose(found.variants, "prd")
    with pytest.raises(InvalidInput, match="of which one is to be named"):
        load([Source(".")])


def test_an_alternative_is_told_by_a_path(tree: Tree) -> None:
    """A folder that is named beside what it lies in says which one is meant, as --variant does."""
    tree(
        {
            "a/dev/web.yaml": DEPLOYMENT.format("web", 1),
            "a/prod/web.yaml": DEPLOYMENT.format("web", 3),
            "a/db/db.yaml": DEPLOYMENT.format("db", 1),
        }
    )
    for paths in (["a", "a/prod"], ["a/prod/", "."], ["a/db", "a/dev", "a/prod"]):
        read = {k: sorted(v) for k, v in names(intake(list(map(Source, paths)))).items()}
        both = {COMMON: ["db1"], "dev": ["db1", "web1"], "prod": ["db1", "web3"]}
        assert read == (both if "a/dev" in paths else {"prod": ["db1", "web3"]})
    assert set(names(intake([Source("a")]))) == {COMMON, "dev", "prod"}
    (prod,) = intake([Source("a"), Source("a/prod")]).variants
    assert not prod.own
    for name in ("a/prod", "./a/prod/", "prod"):
        (chosen,) = choose(intake([Source("a")]).variants, name)
        assert chosen.name == "prod"


def test_what_is_called_alike_goes_together(tree: Tree) -> None:
    """Several forks with folders of the same names are one choice; others are choices apart."""
    tree(
        {
            "shop/dev/a.yaml": DEPLOYMENT.format("shop", 1),
            "shop/prod/a.yaml": DEPLOYMENT.format("shop", 2),
            "mail/dev/a.yaml": DEPLOYMENT.format("mail", 1),
            "mail/prod/a.yaml": DEPLOYMENT.format("mail", 2),
            "mail/old/a.yaml": DEPLOYMENT.format("mail", 9),
        }
    )
    assert names(intake([Source(".")])) == {
        "dev": ["mail1", "shop1"],
        "prod": ["mail2", "shop2"],
        "old": ["mail9"],
    }


def test_forks_within_forks(tree: Tree) -> None:
    """An alternative may have alternatives of its own; what lies above them is asked about once."""
    tree(
        {
            "eu/x/a.yaml": DEPLOYMENT.format("a", 1),
            "eu/y/a.yaml": DEPLOYMENT.format("a", 2),
            "eu/b.yaml": DEPLOYMENT.format("b", 1),
            "us/a.yaml": DEPLOYMENT.format("a", 3),
        }
    )
    found = intake([Source(".")])
    assert names(found) == {
        "eu": ["b1"],
        "x": ["b1", "a1"],
        "y": ["b1", "a2"],
        "us": ["a3"],
    }
    asked = [file for variant in found.variants for file in sorted(variant.own)]
    assert sorted(asked) == ["eu/b.yaml", "eu/x/a.yaml", "eu/y/a.yaml", "us/a.yaml"]


def test_a_folder_and_its_own_files(tree: Tree) -> None:
    """What lies in a folder itself may be an alternative to what lies below."""
    tree({"d/a.yaml": DEPLOYMENT.format("a", 1), "d/dev/a.yaml": DEPLOYMENT.format("a", 2)})
    assert names(intake([Source("d")])) == {"d/": ["a1"], "dev": ["a2"]}


def test_the_same_in_the_same_words(tree: Tree) -> None:
    """A namespace that several folders bring along in the same words is no alternative."""
    tree(
        {
            "a/ns.yaml": NAMESPACE.format("shop", 1),
            "a/a.yaml": DEPLOYMENT.format("a", 1),
            "b/ns.yaml": NAMESPACE.format("shop", 1),
            "b/b.yaml": DEPLOYMENT.format("b", 1),
        }
    )
    assert names(intake([Source(".")])) == {"": ["a1", "shop", "b1"]}


def test_twice_in_one_folder(tree: Tree) -> None:
    """Two of one name in one folder stay an error, as do two files that are named."""
    tree({"d/a.yaml": DEPLOYMENT.format("a", 1), "d/b.yaml": DEPLOYMENT.format("a", 2)})
    tree({"e/a.yaml": DEPLOYMENT.format("a", 1)})
    twice = "Deployment default/a is defined twice (first in {})"
    (message,) = said("d")
    assert message.endswith(twice.format("d/a.yaml:3"))
    (message,) = said("d/a.yaml", "e/a.yaml")
    assert message.endswith(twice.format("d/a.yaml:3"))


def test_two_files_with_much_in_common(tree: Tree) -> None:
    """Files that are alternatives are told of once for each pair, not for each object."""
    several = "\n---\n".join(DEPLOYMENT.format(name, 1) for name in ("a", "b", "c"))
    tree({"d/ha.yaml": several, "d/install.yaml": several})
    (message,) = said("d")
    assert "Deployment default/a is defined twice (first in d/ha.yaml:3), and 2 more" in message
    assert "are they alternatives? name one" in message


FOLDERS = st.lists(st.sampled_from("abc"), max_size=3).map("/".join)
PLACED = st.lists(st.tuples(FOLDERS, st.sampled_from("xz")), min_size=1, unique=True, max_size=8)


@given(PLACED)
def test_alternatives_cover_everything(placed: list[tuple[str, str]]) -> None:
    """Each workload is asked about exactly once, and no alternative has two of one name."""
    files = {f"{folder}/{name}.yaml".lstrip("/"): (folder, name) for folder, name in placed}
    documents = [
        document
        for number, (file, (_, name)) in enumerate(files.items())
        for document in parse(file, DEPLOYMENT.format(name, number)).documents
    ]
    manifests, problems = interpret(documents)
    assert not problems

    def read(there: Callable[[str], bool]) -> Manifests:
        return interpret(document for document in documents if there(document.file))[0]

    found = variants(manifests, {file: folder for file, (folder, _) in files.items()}, read)
    assert not [p for variant in found for p in duplicates(variant.manifests)]
    if len(found) > 1:
        assert sorted(file for variant in found for file in variant.own) == sorted(files)
        assert len({variant.name for variant in found}) == len(found)
    for variant in found:
        there = {m.document.file for m in variant.manifests.objects}
        assert variant.own <= there


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists)


@given(st.dictionaries(st.sampled_from(["panels", "services", "jobs", "metadata", "a"]), JSON))
def test_no_foreign_file_is_a_crash(data: dict[str, object]) -> None:
    """Whatever lies in a folder, there is something to be said of it."""
    text = json.dumps(data)
    problem = foreign("f.json", text, parse("f.json", text))
    assert problem is None or problem.message.startswith("skipped: ")


CARRIERS = [
    ("argoproj.io/v1alpha1", "Rollout", {"template": {"spec": {"containers": [{"image": "x"}]}}},
     "carries a workload (spec.template.spec)"),
    ("argoproj.io/v1alpha1", "Rollout", {"workloadRef": {"kind": "Deployment", "name": "web"}},
     "acts on Deployment web"),
    ("serving.knative.dev/v1", "Service",
     {"template": {"spec": {"containers": [{"image": "x"}]}}}, "carries a workload"),
    ("acid.zalan.do/v1", "postgresql", {"numberOfInstances": 2},
     "likely carries a workload (spec.numberOfInstances)"),
    ("argoproj.io/v1alpha1", "Application", {"source": {}}, "brings objects along"),
    ("example.com/v1", "Thing", {"a": True}, "a kind that kubelemma does not know"),
]  # fmt: skip


@pytest.mark.parametrize(("version", "kind", "spec", "words"), CARRIERS)
def test_custom_resources_with_workloads(
    version: str, kind: str, spec: dict[str, object], words: str
) -> None:
    """Custom resources that carry workloads are listed as such."""
    data = {"apiVersion": version, "kind": kind, "metadata": {"name": "a"}, "spec": spec}
    (left,) = load([Source("f.yaml", json.dumps(data))]).not_modelled
    assert (left.severity, left.object) == ("not modelled", f"{kind} a")
    assert words in left.reason


WHOLE = b"apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"
BOMB = (
    b"a: &a ["
    + b"x, " * 9
    + b"x]\n"
    + b"".join(
        b"%c: &%c [%s]\n" % (c + 1, c + 1, b", ".join([b"*%c" % c] * 10)) for c in b"abcdefgh"
    )
)
UNREADABLE = {
    "binary": (bytes(range(128, 256)) * 4, "not UTF-8 text (byte 0x80): a binary file?", False),
    "gzip": (b"\x1f\x8b\x08" + WHOLE, "a gzip file: unpack it first", False),
    "NUL": (b"a: 1\n\0\0", "a NUL byte: a binary file, not YAML or JSON", False),
    "UTF-16": (WHOLE.decode().encode("utf-16"), "UTF-16 text: save it as UTF-8", True),
    "no mark": (WHOLE.decode().encode("utf-16-le"), "UTF-16 text: save it as UTF-8", True),
    "Latin-1": (WHOLE + b"# caf\xe9\n", "not UTF-8 text (byte 0xe9): a binary file?", True),
    "bomb": (WHOLE + BOMB, "aliases stand for more than 1,000,000 values", True),
    "foreign bomb": (BOMB, "aliases stand for more than 1,000,000 values", False),
    "deep": (WHOLE + b"a: " + b"[" * 300, "nested more than 200 levels deep", True),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_file_that_is_no_text_costs_only_itself(tree: Tree, tmp_path: Path, what: str) -> None:
    """It is passed over with a warning; where it may be meant, it is an error of its own."""
    tree({"good.yaml": WHOLE.decode()})
    content, message, meant = UNREADABLE[what]
    (tmp_path / "x.yaml").write_bytes(content)
    found = intake([Source(".")])
    (variant,) = found.variants
    assert [m.object.metadata.name for m in variant.manifests.objects] == ["a"]
    (said,) = found.problems if meant else found.warnings
    assert message in said.message
    assert said.position.file == "x.yaml"
    assert ("skipped" in said.message) != meant
    assert [n.object for n in variant.manifests.not_modelled] == ["file x.yaml"] * meant
    if not meant:
        with pytest.raises(InvalidInput, match=re.escape(message)):
            intake([Source(".")], strict=True)
    with pytest.raises(InvalidInput, match=re.escape(message)):
        intake([Source("x.yaml")])


def test_what_is_no_file(tree: Tree, tmp_path: Path) -> None:
    """Pipes are not waited for, links may lead nowhere or in circles, folders may be called so."""
    tree({"good.yaml": WHOLE.decode(), "folder.yaml/b.yaml": WHOLE.decode().replace(" a}", " b}")})
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "nowhere.yaml").symlink_to("gone.yaml")
    (tmp_path / "circle.yaml").symlink_to("circle.yaml")
    (tmp_path / "folder.yaml" / "up").symlink_to("..")
    found = intake([Source(".")])
    names = [m.object.metadata.name for v in found.variants for m in v.manifests.objects]
    assert sorted(names) == ["a", "b"]
    assert [str(p) for p in found.warnings] == [
        "pipe.yaml: skipped: no file, but a pipe, a socket or a device"
    ]
    assert sorted(map(str, found.problems)) == [
        "circle.yaml: cannot be read: Too many levels of symbolic links",
        'nowhere.yaml: a link to "gone.yaml", which is not there',
    ]


def test_ways_to_write_text(tree: Tree, tmp_path: Path) -> None:
    """A byte-order mark and line ends of Windows make no difference; an empty file is a warning."""
    tree({"empty.yaml": "", "comment.yaml": "# nothing\n---\n"})
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + WHOLE)
    (tmp_path / "crlf.yaml").write_bytes(WHOLE.replace(b" a}", b" b}").replace(b"\n", b"\r\n"))
    found = intake([Source(".")])
    (variant,) = found.variants
    assert sorted(m.object.metadata.name for m in variant.manifests.objects) == ["a", "b"]
    assert [p.position.file for p in found.warnings] == ["comment.yaml", "empty.yaml"]
    assert not found.problems


def test_a_file_that_may_not_be_read(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows whether it was meant, so it is an error, and the rest is checked."""
    tree({"good.yaml": WHOLE.decode(), "closed.yaml": WHOLE.decode()})
    real = Path.open

    def opened(path: Path, *arguments: Any, **more: Any) -> Any:
        if path.name == "closed.yaml":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **more)

    monkeypatch.setattr(Path, "open", opened)
    found = intake([Source(".")])
    assert [str(p) for p in found.problems] == ["closed.yaml: cannot be read: Permission denied"]
    (variant,) = found.variants
    assert len(variant.manifests.objects) == 1
