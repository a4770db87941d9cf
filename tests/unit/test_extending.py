"""Objects and requests as loaded code meets them, and what may be declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.extending import (
    AlreadyExists,
    Cluster,
    Conflict,
    DeclarationError,
    FrozenMap,
    NotFound,
    NotJson,
    Object,
    Request,
    UnknownName,
    always,
    controller,
    create,
    delete,
    event,
    get,
    patch,
    patch_status,
    update,
    update_status,
)
from kubelemma.model.components.reconcile.caches import Cache
from kubelemma.model.components.reconcile.legal import refusal_of
from kubelemma.model.components.reconcile.objects import Objects, Owner, freeze
from kubelemma.model.components.reconcile.requests import located, perform

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)
MAPS = st.dictionaries(st.text(max_size=2), JSON, max_size=4)
WEB = Object("Deployment", "default", "web")
SHOP = Object("Shop", "default", "corner", spec=FrozenMap({"size": "small"}))


def done(request: Request, *objects: Object) -> Objects:
    """The objects after a request."""
    return perform(located(request, "default"), objects).objects


def thawed(value: Any) -> Any:
    """Frozen data as ``json`` would have it."""
    if isinstance(value, FrozenMap):
        return {key: thawed(inner) for key, inner in value.items()}
    return [thawed(inner) for inner in value] if isinstance(value, tuple) else value


@given(JSON)
def test_freezing_keeps_json(value: Any) -> None:
    """Frozen data can be hashed, says the same, and freezing it again changes nothing."""
    frozen = freeze(value, "spec")
    assert thawed(frozen) == value
    assert freeze(frozen, "spec") == frozen
    assert hash(frozen) == hash(freeze(value, "spec"))


@given(MAPS, st.randoms(use_true_random=False))
def test_order_of_keys_does_not_matter(value: dict[str, Any], random: Any) -> None:
    """Maps of the same items are equal, and read in the same order, however they were written."""
    items = list(value.items())
    random.shuffle(items)
    one, other = freeze(value, "spec"), freeze(dict(items), "spec")
    assert (one, hash(one), list(one)) == (other, hash(other), list(other))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": {1}}, "spec.a is {1}, of type set"),
        ({"a": [1, object]}, "spec.a[1] is <class 'object'>"),
        ({1: "a"}, "spec has the key 1"),
        (float("nan"), "spec is nan"),
    ],
)
def test_what_is_no_json_is_refused(value: Any, words: str) -> None:
    """What cannot stand in a manifest is refused, with the field."""
    with pytest.raises(NotJson) as caught:
        freeze(value, "spec")
    assert words in str(caught.value)


def test_objects_are_frozen() -> None:
    """Setting a field in place is refused, with what to do instead."""
    with pytest.raises(TypeError, match="send patch"):
        SHOP.status["bucket"] = "a"


# Requests


def test_creation() -> None:
    """A new object is where the object in question is, and has what was given."""
    request = create("Bucket", "a", owner=SHOP, spec={"n": [1]}, labels={"app": "x"})
    (made,) = done(request)
    assert (str(made), made.owners) == ("Bucket default/a", (Owner("Shop", "corner"),))
    assert (made.spec, made.labels) == (FrozenMap({"n": (1,)}), FrozenMap({"app": "x"}))


def test_names_are_unique() -> None:
    """A name is taken once; generated ones are those that are free."""
    objects = done(create("Bucket", "a-1"))
    with pytest.raises(AlreadyExists, match="Bucket default/a-1 exists already"):
        done(create("Bucket", "a-1"), *objects)
    named = done(create("Bucket", generate_name="a-"), *objects)
    assert [found.name for found in named] == ["a-1", "a-2"]
    assert len(done(create("Bucket", "a-1", namespace="other"), *objects)) == 2


@pytest.mark.parametrize("names", [{}, {"name": "a", "generate_name": "a-"}])
def test_one_name(names: dict[str, str]) -> None:
    """A creation takes a name or the beginning of one."""
    with pytest.raises(ValueError, match="either a name or generate_name"):
        create("Bucket", **names)  # type: ignore[arg-type]


@given(MAPS, MAPS)
def test_merge_patch(before: dict[str, Any], change: dict[str, Any]) -> None:
    """A patch is a JSON merge patch, as RFC 7386 defines it by a program."""

    def merged(target: Any, patched: Any) -> Any:
        if not isinstance(patched, dict):
            return patched
        result = dict(target) if isinstance(target, dict) else {}
        for key, value in patched.items():
            if value is None:
                result.pop(key, None)
            else:
                result[key] = merged(result.get(key), value)
        return result

    shop = Object("Shop", "default", "corner", status=freeze(before, "status"))
    (after,) = done(patch_status(shop, change), shop)
    assert thawed(after.status) == merged(before, change)


def test_replacing() -> None:
    """An update replaces the parts that it names, and leaves the others."""
    (after,) = done(update(SHOP, spec={"colour": "red"}), SHOP)
    assert (after.spec, after.status) == ({"colour": "red"}, {})
    (after,) = done(update_status(after, {"a": 1}), after)
    assert (after.spec, after.status) == ({"colour": "red"}, {"a": 1})


def test_conflicts() -> None:
    """An update of what has changed since is refused; a patch is not."""
    (changed,) = done(patch_status(SHOP, {"bucket": "a"}), SHOP)
    with pytest.raises(Conflict, match="has changed since it was read"):
        done(update(SHOP, spec={}), changed)
    assert done(patch(SHOP, spec={"size": None}), changed)[0].spec == {}


@pytest.mark.parametrize("request_of", [delete, lambda shop: patch(shop, spec={})])
def test_what_is_gone(request_of: Callable[[Object], Request]) -> None:
    """What does not exist can be neither changed nor deleted, but looked up."""
    with pytest.raises(NotFound, match="Shop default/corner does not exist"):
        done(request_of(SHOP))
    assert perform(located(get("Shop", "corner"), "default"), ()).answer is None


def test_finalizers() -> None:
    """An object with finalizers is marked when deleted, and goes with the last of them."""
    (kept,) = done(patch(SHOP, finalizers=["a", "b"]), SHOP)
    (marked,) = done(delete(kept), kept)
    assert marked.deleting
    assert done(patch(marked, finalizers=["b"]), marked)
    assert done(patch(marked, finalizers=[]), marked) == ()
    assert done(delete(SHOP), SHOP) == ()


def test_cluster() -> None:
    """What loaded code sees: by name, by kind, by owner; only the kinds that it declares."""
    (bucket,) = done(create("Bucket", "a", owner=SHOP))
    cluster = Cluster({"Shop": (SHOP,), "Bucket": (bucket,)})
    assert cluster.get("Bucket", "a") == bucket
    assert cluster.get("Bucket", "a", "other") is None
    assert cluster.owned_by(SHOP, "Bucket") == (bucket,)
    with pytest.raises(UnknownName, match=r'reads "Buckets" \(did you mean "Bucket"\?\)'):
        cluster.all("Buckets")


def test_the_cluster_s_own_kinds() -> None:
    """What is in no namespace is found from any, and may own what is in one."""
    region = Object("Region", "", "eu")
    (bucket,) = done(create("Bucket", "a", owner=region))
    cluster = Cluster({"Region": (region,), "Bucket": (bucket,)}, "default")
    assert cluster.get("Region", "eu") == region
    assert cluster.owned_by(region, "Bucket") == (bucket,)
    scoped = located(create("Region", "us"), "default", {"Region"})
    assert str(perform(scoped, (region,)).answer) == "Region us"


def test_generation() -> None:
    """Generations are known of Deployments only, and asking for another is no silent zero."""
    assert Object("Deployment", "default", "web").generation
    with pytest.raises(UnknownName, match="reads the generation of a Shop"):
        _ = SHOP.generation


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (create("Node", "a"), "Nodes are neither created nor deleted"),
        (patch(Object("Node", "", "a"), labels={"a": "b"}), "writes labels of a Node"),
        (patch(Object("Node", "", "a"), spec={"unschedulable": 1}), "neither True nor False"),
        (patch(WEB, spec={"paused": None}), "sets spec.paused of a Deployment to None"),
        (patch(WEB, spec={"replicas": True}), "to True, which is no number of pods"),
        (patch(WEB, spec={"replicas": 2**31}), "to 2147483648, which is no number of pods"),
        (update(WEB, spec={"replicas": 1}), "without spec.paused: patch it instead"),
        (patch(WEB, spec={"template": {}}), "of which it can write spec.replicas and spec.paused"),
        (create("Bucket", "a", namespace=""), "needs one"),
        (create("Region", "a", namespace="b"), "Region is cluster-scoped"),
        (get("Node", "a"), ""),
        (update(WEB, spec={"replicas": 1, "paused": False}), ""),
    ],
)
def test_requests_that_cannot_be_sent(request_: Request, words: str) -> None:
    """What the API server or the model could not follow is refused in a sentence."""
    scope = frozenset({"Node", "Region"})
    kinds = ("Node", "Deployment", "Bucket", "Region")
    refusal = refusal_of(located(request_, "default", scope), kinds, scope)
    assert words in refusal
    assert bool(words) is bool(refusal)


# Caches

HISTORIES = st.lists(st.sampled_from(["news", "event", "restart"]), max_size=12)


@given(HISTORIES, st.integers(1, 3), st.integers(0, 3), st.data())
def test_caches(history: list[str], lag: int, lists: int, data: Any) -> None:
    """A cache lags by no more than it may, ends at what is, and goes back at restarts alone."""
    cache, newest = Cache(((),)), 0
    for happens in history:
        seen = newest - cache.behind
        if happens == "news":
            newest += 1
            made = (Object("Shop", "default", str(newest)),)
            cache = cache.with_news(made, lag).trimmed(lists)
        elif happens == "event" and cache.behind:
            cache = cache.advanced().trimmed(lists)
        elif happens == "restart":
            may = tuple(cache.relisted(min(lists, lag)))
            assert cache.behind == 0 or any(other.behind <= cache.behind for other in may)
            cache = data.draw(st.sampled_from(may)).trimmed(lists)
            assert cache.behind <= min(lists, lag)
        names = [found.name for found in cache.actual]
        assert names == ([str(newest)] if newest else [])
        assert cache.behind <= lag
        assert happens == "restart" or newest - cache.behind >= seen
        assert cache.shown == cache.versions[len(cache.versions) - 1 - cache.behind]


# Declarations


def decide(shop: Object, cluster: Cluster) -> None:
    """Do nothing."""


def holds(cluster: Cluster) -> bool:
    """All is well."""
    return bool(cluster.kinds)


def silent(_cluster: Cluster) -> bool:  # noqa: D103 - that is the point
    return True


@pytest.mark.parametrize(
    ("declare", "words"),
    [
        (lambda: controller(reconciles="Shop")(holds), "holds must take (object, cluster)"),
        (lambda: controller(reconciles="", reads=[])(decide), "'' is no kind"),
        (lambda: controller(reconciles="Shop", reads="Bucket")(decide), 'write reads=("Bucket",)'),
        (lambda: controller(reconciles="Shop")(3), "3 is decorated, which is no function"),
        (lambda: controller(reconciles="Shop", workers=0)(decide), "workers is 0, which is no"),
        (lambda: controller(reconciles="Shop", workers=True)(decide), "workers is True"),
        (lambda: event(times=0)(holds), "times is 0"),
        (lambda: event(actor="me")(holds), 'actor is "me"'),
        (lambda: always("shop", "t")(holds), '"shop" is no identifier'),
        (lambda: always("SHOP-1", "t", severity="bad")(holds), 'severity is "bad"'),
        (lambda: always("SHOP-1", "t")(silent), "silent has no docstring"),
        (lambda: always("SHOP-1", "t", about="Shop")(holds), "must take (object, cluster)"),
    ],
)
def test_declarations_that_make_no_sense(declare: Callable[[], object], words: str) -> None:
    """Each is refused where it is declared, with the function's name."""
    with pytest.raises(DeclarationError) as caught:
        declare()
    assert words in str(caught.value)


def test_statement() -> None:
    """A property's statement is its docstring, and says where it is written."""
    declared = always("SHOP-1", "All well", why="w", repair="r", severity="low")(holds)
    statement = declared.statement
    assert (statement.id, statement.title, statement.statement) == (
        "SHOP-1",
        "All well",
        "All is well.",
    )
    assert (statement.severity, statement.why, statement.remediation) == ("low", "w", "r")
    assert statement.source.startswith(__file__)
