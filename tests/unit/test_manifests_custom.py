"""CustomResourceDefinitions, and the objects that come with them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kubelemma.model.manifests import InvalidInput, Manifests, Source, load
from kubelemma.model.scenario import kept_objects, known_kinds

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "string", "enum": ["small", "large"]},
                "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 2},
                "port": {"x-kubernetes-int-or-string": True},
                "note": {"type": "string", "nullable": True, "pattern": "^[a-z]+$"},
                "tags": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
                "more": {"type": "object", "additionalProperties": {"type": "integer"}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            },
        },
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}


def definition(schema: Any = SCHEMA, scope: str = "Namespaced") -> dict[str, Any]:
    """The definition of Shops."""
    version = {"name": "v1", "served": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Shop", "plural": "shops"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "shops.example.com"},
        "spec": {"group": "example.com", "names": names, "scope": scope, "versions": [version]},
    }


def shop(**spec: Any) -> dict[str, Any]:
    """A Shop."""
    return {
        "apiVersion": "example.com/v1",
        "kind": "Shop",
        "metadata": {"name": "corner"},
        "spec": {"size": "small", **spec},
    }


def read(*documents: dict[str, Any]) -> Manifests:
    """The manifests of these documents."""
    return load([Source("f.yaml", yaml.safe_dump_all(documents, sort_keys=False))])


def refused(*documents: dict[str, Any]) -> str:
    """What is said of documents that are wrong."""
    with pytest.raises(InvalidInput) as caught:
        read(*documents)
    return str(caught.value)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"size": "smal"}, 'spec.size: "smal" is not one of small, large (did you mean "small"?)'),
        ({"size": None}, "spec.size: expected a string, found nothing (null)"),
        ({"count": 0}, "spec.count: 0 is less than the minimum of 1"),
        ({"count": 10}, "spec.count: 10 is greater than the maximum of 9"),
        ({"count": "2"}, 'spec.count: expected an integer, found the string "2"'),
        ({"count": True}, "spec.count: expected an integer, found the boolean true"),
        ({"port": [80]}, "spec.port: expected an integer or a string, found a list"),
        ({"note": "A"}, "spec.note: 'A' does not match '^[a-z]+$'"),
        ({"tags": ["a", 1]}, "spec.tags[1]: expected a string, found the number 1"),
        ({"tags": ["a", "b", "c"]}, "spec.tags: ['a', 'b', 'c'] is too long"),
        ({"more": {"a": "x"}}, 'spec.more.a: expected an integer, found the string "x"'),
    ],
)
def test_objects_that_do_not_fit(spec: dict[str, Any], words: str) -> None:
    """What the schema does not allow is an error at its line, with its field."""
    text = refused(definition(), shop(**spec))
    assert words in text
    assert text.startswith("f.yaml:")
    assert text.count("\n") == 0


def test_line() -> None:
    """An error stands at the line of the value."""
    text = yaml.safe_dump(definition()) + "---\n" + yaml.safe_dump(shop(size="smal"))
    line = text.splitlines().index("  size: smal") + 1
    with pytest.raises(InvalidInput) as caught:
        load([Source("f.yaml", text)])
    assert str(caught.value).startswith(f"f.yaml:{line}: spec.size")


@pytest.mark.parametrize(
    "spec",
    [
        {"port": "http", "note": None, "tags": [], "more": {"a": 1}, "free": {"x": {"y": 1}}},
        {"port": 80, "count": 9},
    ],
)
def test_objects_that_fit(spec: dict[str, Any]) -> None:
    """What the schema allows passes without a word."""
    assert read(definition(), shop(**spec)).warnings == ()


def test_missing() -> None:
    """Required fields and names are named where they should be."""
    bare = shop()
    del bare["spec"]["size"], bare["metadata"]["name"]
    text = refused(definition(), bare)
    assert "spec.size: is required" in text
    assert "metadata.name: is required" in text


def test_unknown_version() -> None:
    """An object of a version that is not defined is an error."""
    text = refused(definition(), {**shop(), "apiVersion": "example.com/v2"})
    assert '"v2" is no version of Shop: its definition has v1' in text


def test_unknown_fields() -> None:
    """Fields that the API server drops are warned of, with the likely spelling."""
    (warning,) = read(definition(), shop(conut=3)).warnings
    assert 'spec.conut: no field of Shop (did you mean "count"?)' in str(warning)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"names": {}}, "spec.names.kind: is required"),
        ({"group": 3}, "spec.group: expected a string, found the number 3"),
        ({"versions": [{}]}, "spec.versions[0].name: is required"),
    ],
)
def test_bad_definitions(change: dict[str, Any], words: str) -> None:
    """A definition that says nothing usable is an error."""
    given = definition()
    assert words in refused({**given, "spec": {**given["spec"], **change}}, shop())


def test_bad_schema() -> None:
    """So is one whose schema is none."""
    assert "openAPIV3Schema.type" in refused(definition({"type": "obj"}), shop())


def test_old_version() -> None:
    """Definitions of a version that Kubernetes has removed are told so."""
    old = {**definition(), "apiVersion": "apiextensions.k8s.io/v1beta1"}
    assert "write apiextensions.k8s.io/v1" in refused(old, shop())


def test_odd_schemas() -> None:
    """Patterns of RE2, empty lists, and fields called as words of schemas do no harm."""
    properties = {
        "default": {"type": "integer"},
        "pattern": {"type": "string", "pattern": r"^\p{L}+$"},
        "type": {"type": "string", "pattern": "^[[:alpha:]]$"},
        "required": {"type": "boolean"},
        "limit": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
    }
    spec = {"type": "object", "required": [], "properties": properties}
    schema = {"type": "object", "properties": {"spec": spec}}

    def given(**values: Any) -> dict[str, Any]:
        return {**shop(), "spec": values}

    fine = given(default=1, pattern="x", type="a", required=True, limit=0.5)
    assert read(definition(schema), fine).warnings == ()
    assert "spec.default: expected an integer" in refused(definition(schema), given(default="x"))
    assert "spec.limit: 0 is less than or equal to" in refused(definition(schema), given(limit=0))


def test_kept_objects() -> None:
    """Objects are kept with defaults, in their namespace; the kinds that there are are known."""
    manifests = read(definition(), shop())
    ((kept,), problems) = kept_objects(manifests, ["Shop"], "")
    assert problems == ()
    assert (str(kept.object), kept.object.spec["count"]) == ("Shop default/corner", 2)
    ((kept,), _) = kept_objects(manifests, ["Shop"], "eu")
    assert kept.object.namespace == "eu"
    assert {"Shop", "ConfigMap", "Deployment"} <= known_kinds(manifests)
    assert "Shopp" not in known_kinds(manifests)


def test_cluster_scope() -> None:
    """Objects of a kind outside namespaces stay there."""
    ((kept,), _) = kept_objects(read(definition(scope="Cluster"), shop()), ["Shop"], "eu")
    assert str(kept.object) == "Shop corner"


def test_metadata() -> None:
    """Labels, owners, finalizers and a deletion under way are kept, too."""
    metadata = {
        "name": "corner",
        "labels": {"a": "b"},
        "finalizers": ["x/y"],
        "deletionTimestamp": "2026-01-01T00:00:00Z",
        "ownerReferences": [{"kind": "Street", "name": "high", "uid": "1"}],
    }
    ((kept,), _) = kept_objects(read({**shop(), "metadata": metadata}), ["Shop"], "")
    found = kept.object
    assert (found.labels, found.finalizers, found.deleting) == ({"a": "b"}, ("x/y",), True)
    assert found.owners == (("Street", "high"),)


def test_two_of_a_name() -> None:
    """Two objects of one name, or two kinds of one name, cannot be told apart."""
    _, problems = kept_objects(read(shop(), shop()), ["Shop"], "")
    assert "Shop default/corner is defined twice" in str(problems[0])
    other = {**shop(), "apiVersion": "other.org/v1", "metadata": {"name": "b"}}
    _, problems = kept_objects(read(shop(), other), ["Shop"], "")
    assert "Shop is a kind of example.com already" in str(problems[0])
