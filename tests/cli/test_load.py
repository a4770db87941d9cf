"""``--load``: what the documentation shows, and what is said of files that do not work."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Kubelemma: TypeAlias = Callable[..., Any]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "own-controllers.md").read_text("utf-8")
EXAMPLE = ROOT / "examples" / "own-controller"
SHOP, OPERATOR, PROMISES = (
    str(EXAMPLE / name) for name in ("shop.yaml", "shop_operator.py", "promises.py")
)
REPAIRED = str(ROOT / "examples" / "own-controller-repaired" / "shop_operator.py")
LOADED = (SHOP, "--load", OPERATOR, "--load", PROMISES)


def blocks(kind: str = "") -> Iterator[str]:
    """The code blocks of the page of one kind."""
    yield from re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


SHOWN = [block for block in blocks() if block.startswith("$ ")]


@pytest.mark.parametrize("block", SHOWN, ids=lambda block: block.splitlines()[-1][:30])
def test_shown_output_is_real(
    kubelemma: Kubelemma, monkeypatch: pytest.MonkeyPatch, block: str
) -> None:
    """What the page shows is what the command prints, but for what it leaves out."""
    command, *lines = block.splitlines()
    monkeypatch.chdir(ROOT)
    run = kubelemma(*shlex.split(command)[2:], "--no-save", "--no-cache")
    printed = iter((run.out + run.err).splitlines())
    assert [line for line in lines if line != "..." and line not in printed] == []


def test_shown_code_is_real() -> None:
    """Code that the page takes from the examples stands there."""
    sources = [path.read_text("utf-8") for path in ROOT.glob("examples/own-controller*/*.py")]
    shown = [block for block in blocks("python") if '"SHOP-1"' in block or "reconciles" in block]
    assert len(shown) == 3
    assert [block for block in shown if not any(block in source for source in sources)] == []


def test_all_is_shown() -> None:
    """The page names every function that the package offers for use in a file."""
    from kubelemma import extending  # noqa: PLC0415 - the test is about what it offers

    functions = [n for n in extending.__all__ if n.islower()]
    assert [name for name in functions if not re.search(rf"`@?{name}\(", PAGE)] == []


def test_replay(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """A recording replays with its file, refuses it when changed, and takes another one."""
    own = tmp_path / "operator_of_shops.py"
    own.write_text(Path(OPERATOR).read_text("utf-8"), "utf-8")
    assert kubelemma("check", SHOP, "--load", own.name, "--load", PROMISES).code == 1
    name = "shop-operator-SHOP-1"
    assert "still fails" in kubelemma("replay", name).out
    run = kubelemma("replay", name, "--load", REPAIRED, "--load", PROMISES)
    assert (run.code, "no longer possible at step 2" in run.out) == (0, True)
    own.write_text(own.read_text("utf-8") + "\n", "utf-8")
    run = kubelemma("replay", name)
    assert run.code == 2
    assert f"{own.name}: has changed since the counterexample was recorded" in run.err
    own.unlink()
    assert "recorded with this file: No such file" in kubelemma("replay", name).err


def test_properties(kubelemma: Kubelemma) -> None:
    """The catalogue lists and explains what a file promises."""
    assert (
        "SHOP-2      liveness  critical" in kubelemma("properties", "list", "--load", PROMISES).out
    )
    out = kubelemma("properties", "explain", "shop-1", "--load", PROMISES).out
    assert "No Shop ever owns two Buckets." in out
    assert "Every bucket is paid for" in out
    assert kubelemma("properties", "explain", "SHOP-1").code == 2


def test_graph_and_simulate(kubelemma: Kubelemma) -> None:
    """States and runs tell of objects, syncs and restarts."""
    out = kubelemma("graph", *LOADED).out
    assert "Bucket default/corner-1: spec.size small" in out
    assert "shop-operator: in a sync of Shop default/corner, 1 request sent" in out
    assert "fault: shop-operator restarts" in out
    assert "creates Bucket default/corner-1" in kubelemma("simulate", *LOADED).out


def test_chosen_property(kubelemma: Kubelemma) -> None:
    """--property takes what is loaded, and suggests it."""
    assert kubelemma("check", *LOADED, "--property", "SHOP-2").code == 0
    assert 'did you mean "SHOP-2"?' in kubelemma("check", *LOADED, "--property", "SHOP2").err


def test_annotation(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """What is accepted in the resource itself does not count, and is shown."""
    ignore = "{name: corner, annotations: {kubelemma.dev/ignore: SHOP-1 -- they are cheap}}"
    text = Path(SHOP).read_text("utf-8").replace("metadata: {name: corner}", f"metadata: {ignore}")
    (tmp_path / "shop.yaml").write_text(text, "utf-8")
    run = kubelemma("check", "shop.yaml", "--load", OPERATOR, "--load", PROMISES, "-o", "wide")
    assert (run.code, run.err) == (0, "")
    assert "suppressed in shop.yaml:50: they are cheap" in run.out


def test_workers(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """The report says how many objects a controller works on at once."""
    code = Path(OPERATOR).read_text("utf-8").replace('"Bucket"])', '"Bucket"], workers=2)')
    (tmp_path / "own.py").write_text(code, "utf-8")
    loaded = ("--load", "own.py", "--load", PROMISES)
    out = " ".join(kubelemma("check", SHOP, *loaded, "-o", "wide").out.split())
    assert "reads Bucket, 2 objects at once; it may restart once" in out


def test_stale_lists(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """How old lists may be after a restart is said, and can be no more than for caches."""
    check = "apiVersion: kubelemma.dev/v1alpha1\nkind: Check\nmetadata: {name: a}\n"
    for lists, words in (("", "so may the lists"), (", staleLists: 0", "they are current")):
        spec = f"spec: {{faults: {{staleReads: 1{lists}}}}}\n"
        (tmp_path / "a.yaml").write_text(check + spec, "utf-8")
        run = kubelemma("check", "a.yaml", *LOADED, "-o", "wide")
        assert words in " ".join(run.out.split())
    (tmp_path / "a.yaml").write_text(check + "spec: {faults: {staleLists: 1}}\n", "utf-8")
    run = kubelemma("check", "a.yaml", SHOP, "--load", OPERATOR, "--load", PROMISES)
    assert "staleLists: 1 is more than staleReads, 0" in run.err


def test_nodes_without_workloads(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """An operator that acts on Nodes alone is checked without a word about pods."""
    code = """
from kubelemma.extending import *

@controller(reconciles="Node")
def cordoner(node, cluster):
    if not node.spec["unschedulable"]:
        return patch(node, spec={"unschedulable": True})

@never_stuck("NODE-9", "All are cordoned", about="Node")
def cordoned(node, cluster):
    "Wherever nobody acts any more, the node is cordoned."
    return node.spec["unschedulable"]
"""
    (tmp_path / "own.py").write_text(code, "utf-8")
    check = "apiVersion: kubelemma.dev/v1alpha1\nkind: Check\nmetadata: {name: a}\n"
    spec = "spec: {cluster: {nodes: [{count: 2, allocatable: {cpu: 1}}]}}\n"
    (tmp_path / "a.yaml").write_text(check + spec, "utf-8")
    run = kubelemma("check", "a.yaml", "--load", "own.py", "-o", "wide")
    assert (run.code, "PASSED: of 2 properties 2 hold" in run.out) == (0, True)
    assert "pods of a workload" not in run.out
    assert "cluster: 2 nodes with cpu 1" in run.out


def test_stale_reads_need_a_controller(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """Only loaded controllers have caches that lag."""
    text = Path(SHOP).read_text("utf-8").replace("spec: {size: small}", "spec: {size: large}")
    (tmp_path / "shop.yaml").write_text(text, "utf-8")
    check = "apiVersion: kubelemma.dev/v1alpha1\nkind: Check\nmetadata: {name: a}\n"
    (tmp_path / "a.yaml").write_text(check + "spec: {faults: {staleReads: 1}}\n", "utf-8")
    run = kubelemma("check", "a.yaml", "shop.yaml", "--load", PROMISES)
    assert run.code == 2
    assert "unless a controller of your own is loaded (--load)" in run.err


def test_refused_for_ever(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """Where a controller is refused for ever, the story says what it would do, and why not."""
    code = """
from kubelemma.extending import *

@controller(reconciles="Shop", reads=["Bucket"])
def shop_operator(shop, cluster):
    if "bucket" not in shop.status:
        yield create("Bucket", "data")
        yield patch_status(shop, {"bucket": "data"})

@event(reads=["Bucket"])
def foreign_bucket(cluster):
    "Somebody else creates it."
    return create("Bucket", "data")

@never_stuck("SHOP-3", "Shops do not wait for ever", about="Shop")
def has_bucket(shop, cluster):
    "Wherever nobody can act any more, the shop has its bucket."
    return "bucket" in shop.status
"""
    (tmp_path / "own.py").write_text(code, "utf-8")
    out = " ".join(kubelemma("check", SHOP, "--load", "own.py").out.split())
    assert "user: creates Bucket default/data because Somebody else creates it." in out
    assert "shop-operator can do nothing: its sync of Shop default/corner would create" in out
    assert "and be refused: Bucket default/data exists already." in out


WRONG = {
    "import nothere": "own.py:2: cannot be loaded: ModuleNotFoundError: No module named 'nothere'",
    "def f(:": "own.py:2: is no Python: invalid syntax",
    "x = 1": "own.py: declares no controller, event or property",
    "raise SystemExit(0)": "own.py:2: cannot be loaded: SystemExit: 0",
    '@always("SHOP-1", "t")\ndef p(cluster):\n    return True': "own.py:2: p has no docstring",
    '@always("DEP-1", "t")\ndef p(cluster):\n    "x"': (
        "own.py:2: p: DEP-1 is a property of kubelemma itself already"
    ),
    '@always("A-1", "t", reads=["Pod"])\ndef p(cluster):\n    "x"': (
        "own.py:2: p: Pod is no kind that loaded code can read"
    ),
    '@always("A-1", "t", reads=["Shopp"])\ndef p(cluster):\n    "x"': (
        'own.py:2: p: there is no kind "Shopp" (did you mean "Shop"?)'
    ),
    '@always("A-1", "t", about="Bucket")\ndef p(bucket, cluster):\n    "x"': (
        "own.py:2: p: A-1 applies to nothing: there is no Bucket"
    ),
    '@always("A-1", "t", about="Shop")\ndef p(shop, cluster):\n    "x"\n    return 3': (
        "own.py:2: p: gives 3, where True, False or None is expected; called with Shop"
    ),
}


@pytest.mark.parametrize(("code", "words"), WRONG.items(), ids=range(len(WRONG)))
def test_files_that_do_not_work(
    kubelemma: Kubelemma, tmp_path: Path, code: str, words: str
) -> None:
    """What is wrong with a file is said with its line, and never as a traceback."""
    (tmp_path / "own.py").write_text(f"from kubelemma.extending import *\n{code}\n", "utf-8")
    run = kubelemma("check", SHOP, "--load", "own.py")
    assert run.code == 2
    assert run.err.startswith(words)
    assert "Traceback" not in run.err


BODIES = {
    'yield create("Bucket", shop.spec["name"])': "own.py:5: op: raises KeyError: 'name';",
    'yield create("Bucket", f"a-{random.random()}"[:9])': "own.py:3: op: is not deterministic",
    'yield create("Bucket", "a", spec={"x": {1}})': "own.py:5: op: spec.x is {1}, of type set",
    'yield create("Bukket", "a")': 'own.py:3: op: writes "Bukket" (did you mean "Bucket"?)',
    'yield create("Bucket", "A_a")': 'own.py:3: op: sends create Bucket default/A_a: "A_a" is no',
    'return cluster.all("Shops")': 'own.py:5: op: reads "Shops" (did you mean "Shop"?)',
    "yield shop": "own.py:3: op: gives Shop default/corner",
    'shop.status["a"] = 1': 'own.py:5: op: raises TypeError: sets "a" in place',
    'while True: yield get("Bucket", "a")': "own.py:3: op: sends more than 100 requests",
    'yield create("Deployment", "a")': "own.py:3: op: sends create Deployment default/a: Depl",
}
HEAD = """import random
from kubelemma.extending import *
@controller(reconciles="Shop", reads=["Bucket", "Deployment"])
def op(shop, cluster):
"""


@pytest.mark.parametrize(("body", "words"), BODIES.items(), ids=range(len(BODIES)))
def test_functions_that_do_not_work(
    kubelemma: Kubelemma, tmp_path: Path, body: str, words: str
) -> None:
    """What is wrong with a function is said with its line and its arguments."""
    (tmp_path / "own.py").write_text(f"{HEAD}    {body}\n", "utf-8")
    run = kubelemma("check", SHOP, "--load", "own.py", "--load", PROMISES)
    assert run.code == 2
    assert run.err.startswith(words)
    assert "Traceback" not in run.err


def test_traceback_on_request(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """-v shows where in the function it was."""
    (tmp_path / "own.py").write_text(f'{HEAD}    return shop.spec["name"]\n', "utf-8")
    run = kubelemma("check", SHOP, "--load", "own.py", "--load", PROMISES, "-v")
    assert run.code == 2
    assert "Traceback" in run.err


def test_nothing_is_remembered(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """A verdict on loaded code is never one of an earlier run: the code may have changed."""
    own = tmp_path / "own.py"
    codes = []
    for source in (OPERATOR, OPERATOR, REPAIRED):
        own.write_text(Path(source).read_text("utf-8"), "utf-8")
        codes.append(kubelemma("check", SHOP, "--load", own.name, "--load", PROMISES).code)
    assert codes == [1, 1, 0]


@pytest.mark.parametrize("folder", ["sub", "elsewhere"])
def test_what_is_imported_counts(
    kubelemma: Kubelemma, tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A verdict is not one of an earlier run where a module that is imported has changed."""
    for made in ("sub", "elsewhere"):
        (tmp_path / made).mkdir()
    way = 'import sys\nsys.path.append("elsewhere")\nfrom limits import most\n'
    text = Path(PROMISES).read_text("utf-8").replace("<= 1", "<= most()")
    head, rest = text.split("from kubelemma", 1)
    (tmp_path / "sub" / "own.py").write_text(f"{head}{way}from kubelemma{rest}", "utf-8")
    codes = []
    monkeypatch.setattr(sys, "path", list(sys.path))
    for most in (300, 1, 300):
        sys.modules.pop("limits", None)
        limits = f"def most():\n    return {most}\n"
        (tmp_path / folder / "limits.py").write_text(limits, "utf-8")
        codes.append(kubelemma("check", SHOP, "--load", OPERATOR, "--load", "sub/own.py").code)
    assert codes == [0, 1, 0]


def test_neighbours(kubelemma: Kubelemma, tmp_path: Path) -> None:
    """A file may import from its neighbours, and what it imports counts as its own."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "shop_rules.py").write_text(Path(PROMISES).read_text("utf-8"), "utf-8")
    text = "from shop_rules import one_bucket\n" + Path(OPERATOR).read_text("utf-8")
    (tmp_path / "sub" / "own.py").write_text(text, "utf-8")
    run = kubelemma("check", SHOP, "--load", "sub/own.py")
    assert run.code == 1
    assert ("SHOP-1" in run.out, "SHOP-2" in run.out) == (True, False)
