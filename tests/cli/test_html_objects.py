"""Objects of loaded controllers in the HTML report, in a real Chromium."""

from __future__ import annotations

from typing import Any

import pytest
from browsing import unless_there_is_no_browser

from kubelemma import api
from kubelemma.question import STDIN
from kubelemma.question import Question as CheckQuestion
from kubelemma.reports.document import Report

pytestmark = unless_there_is_no_browser

SHOPS = """
apiVersion: example.com/v1
kind: Shop
metadata: {name: corner, finalizers: [example.com/bucket]}
spec: {size: small}
---
apiVersion: example.com/v1
kind: Bucket
metadata: {name: old, ownerReferences: [{kind: Shop, name: corner}]}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: shops}
spec: {faults: {staleReads: 1, controllerRestarts: 0}}
"""
OPERATOR = """
from kubelemma.extending import *

@controller(reconciles="Shop", reads=["Bucket"], workers=2)
def shop_operator(shop, cluster):
    if shop.deleting and cluster.get("Bucket", "old"):
        yield delete(cluster.get("Bucket", "old"))
        yield create("Bucket", "new", owner=shop, spec={"for": shop.name})
        yield patch(shop, finalizers=[])

@event(about="Shop")
def close(shop, cluster):
    "Somebody closes the shop."
    return delete(shop)

@always("SHOP-1", "Nothing is new", reads=["Bucket"])
def nothing_new(cluster):
    "There is no new bucket."
    return cluster.get("Bucket", "new") is None
"""


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """An operator that replaces a bucket while a shop is being deleted."""
    code = tmp_path_factory.mktemp("loaded") / "operator_of_shops.py"
    code.write_text(OPERATOR, "utf-8")
    question = CheckQuestion(paths=(STDIN,), stdin=SHOPS, load=(str(code),))
    (case,) = api.ask(question).cases
    return api.report([api.explore(case)])


def test_custom_objects_are_boxes(opened: Any, shops: Report) -> None:
    """Objects stand below their owners, with their fields, and what a step does to them shows."""
    page = opened(shops)
    page.press("Home")
    boxes = page.page.locator(".objects .object")
    assert boxes.first.inner_text().split("\n")[:3] == ["corner", "spec.size", "small"]
    assert boxes.locator(".owned .object .name").all_inner_texts() == ["old"]
    assert boxes.first.locator(".finalizer").inner_text() == "example.com/bucket"
    assert page.page.locator(".nodes, .cluster .legend, .object.changed").count() == 0
    page.press("ArrowRight")
    assert "being deleted" in page.page.locator(".object.changed").inner_text()
    page.press("End")
    new = page.page.locator(".object.changed")
    assert new.locator(".name").all_inner_texts() == ["new"]
    assert "does not see it yet" in new.inner_text()
    page.press("ArrowLeft")
    gone = page.page.locator(".object.gone").inner_text().split("\n")
    assert gone[:3] == ["Bucket", "old", "deleted"]
    assert gone[-1] == "shop-operator still sees it"


def test_controllers_show_their_syncs(opened: Any, shops: Report) -> None:
    """Each worker tells what it had read, has done and will do; each cache how far it lags."""
    page = opened(shops)
    page.press("Home")
    shown = page.page.locator(".controller")
    assert "worker 1: no sync under way" in shown.inner_text()
    page.press("End")
    text = shown.inner_text()
    for words in (
        "worker 1: in a sync of Shop corner",
        "it had read Shop: default/corner; Bucket: default/old",
        "by now: Bucket new was created",
        "it has deleted Bucket default/old",
        "next, it will patch Shop default/corner",
        "worker 2: no sync under way",
        "cache of Bucket objects: 1 event behind",
        "cache of Shop objects: current",
    ):
        assert words in text
    state = " ".join(page.page.locator(".state li").all_inner_texts())
    assert "Bucket new is new: spec.for corner" in state
    assert "shop-operator, worker 1 sent 1 → 2" in state


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_fits_the_screen(opened: Any, shops: Report, scheme: str, width: int) -> None:
    """The page is not wider than its screen."""
    options = {"viewport": {"width": width, "height": 740}, "color_scheme": scheme}
    page = opened(shops, **options)
    page.press("ArrowRight", "ArrowRight")
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width
