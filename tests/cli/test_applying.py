"""``kubelemma check NEW --from OLD``: what happens when this is applied to that."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import TypeAlias

import pytest

from .changes import QUIET, WIDE, deployment, nodes, plain
from .conftest import Kubelemma, Manifest

Write: TypeAlias = Callable[..., str]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
UNCHANGED = "Nothing differs: what is applied is what is there already."


@pytest.mark.parametrize(("memory", "code"), [("4Gi", 1), ("8Gi", 0)])
def test_a_version_that_needs_more(
    kubelemma: Kubelemma, write: Write, memory: str, code: int
) -> None:
    """Old and new pods have their own requests: the larger fit beside the smaller, or nowhere."""
    old = write("old.yaml", deployment())
    new = write("new.yaml", deployment(memory="6Gi"))
    run = kubelemma("check", new, "--from", old, *nodes(memory), *WIDE)
    assert run.code == code
    told = "template: containers[0].resources.requests.memory 2Gi→6Gi"
    assert f"change, at any time: Deployment default/api: {told}" in plain(run.out)
    assert "all else is equal" in run.out


def test_what_is_equal_is_one_sentence(kubelemma: Kubelemma, write: Write) -> None:
    """Nothing is searched where nothing differs, however it is written."""
    old = write("old.yaml", deployment(memory="2Gi"))
    new = write("new.yaml", deployment(memory="2048Mi"))
    run = kubelemma("check", new, "--from", old)
    assert (run.code, run.out) == (0, "")
    assert run.err.strip() == UNCHANGED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("terminationGracePeriodSeconds", 30),
        ("hostNetwork", False),
        ("tolerations", []),
        ("dnsPolicy", "ClusterFirst"),
    ],
)
def test_a_default_that_is_spelt_out_is_no_change(
    kubelemma: Kubelemma, write: Write, field: str, value: object
) -> None:
    """The API server would have filled it in: the templates are the same, and nothing rolls."""
    spelt = deployment()
    spelt["spec"]["template"]["spec"][field] = value
    old, new = write("old.yaml", deployment()), write("new.yaml", spelt)
    for before, after in ((old, new), (new, old)):
        assert kubelemma("check", after, "--from", before).err.startswith("Nothing differs")


DAEMONS = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"name": "db"},
    "spec": {"minReadySeconds": 2},
}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({**DAEMONS, "spec": {"minReadySeconds": 3}}, "DaemonSet default/db"),
        ({**DAEMONS, "metadata": {"name": "new"}}, "DaemonSet default/new"),
        (deployment(replica=5), "Deployment default/api"),
    ],
)
def test_what_differs_and_is_not_modelled_leaves_the_answer_open(
    kubelemma: Kubelemma, write: Write, changed: Manifest, named: str
) -> None:
    """That is not nothing: exit code 3, with the object by name."""
    new = [changed] if changed["kind"] == "Deployment" else [deployment(), changed]
    run = kubelemma(
        "check", write("new.yaml", *new), "--from", write("old.yaml", deployment(), DAEMONS)
    )
    assert run.code == 3
    assert f"What differs is not modelled, so nothing is checked: {named}." in run.err


def test_what_is_applied_is_looked_at_by_itself(kubelemma: Kubelemma, write: Write) -> None:
    """With --thorough, and even where nothing differs; what is not modelled is no success."""
    old = write("old.yaml", deployment(), DAEMONS)
    thorough = ("--thorough", "--question", "rollout", "--property", "DEP-4")
    run = kubelemma("check", old, "--from", old, *thorough)
    assert (run.code, run.err.strip()) == (0, UNCHANGED)
    assert run.out.splitlines()[0].split() == ["WORKLOAD", "ROLLOUT"]
    new = write("new.yaml", deployment(), {**DAEMONS, "spec": {"minReadySeconds": 3}})
    run = kubelemma("check", new, "--from", old, *thorough)
    assert (run.code, "PASSED: 1 check of 1 workload" in run.out) == (3, True)
    assert "nothing is checked: DaemonSet default/db" in run.err


def test_questions_beside_a_change(kubelemma: Kubelemma, write: Write) -> None:
    """Only with --thorough is any of them asked, and whoever names one is told."""
    old, new = write("o.yaml", deployment()), write("n.yaml", deployment(replicas=2))
    run = kubelemma("check", new, "--from", old, "--question", "drain", *QUIET)
    assert run.code == 0
    assert run.err.startswith("warning: --question changes nothing: a change is asked about by")


def test_what_cannot_matter_is_no_difference(kubelemma: Kubelemma, write: Write) -> None:
    """A ConfigMap decides no verdict, whatever is in it."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    old = write("old.yaml", deployment(), {**config, "data": {"a": "1"}})
    new = write("new.yaml", deployment(), {**config, "data": {"a": "2"}})
    run = kubelemma("check", new, "--from", old)
    assert (run.code, run.err.strip()) == (0, UNCHANGED)


ZONED = [{"matchLabelExpressions": [{"key": "topology.kubernetes.io/zone", "values": ["a"]}]}]


def test_classes_have_no_namespace(kubelemma: Kubelemma, write: Write) -> None:
    """What lives outside namespaces is called by its name alone."""
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"}}
    kind["provisioner"] = "a"
    old = write("old.yaml", deployment(), kind)
    new = write("new.yaml", deployment(), {**kind, "allowedTopologies": ZONED})
    run = kubelemma("check", new, "--from", old)
    assert run.code == 0
    assert "StorageClass fast (allowedTopologies added)" in run.err


@pytest.mark.parametrize("form", ["json", "sarif", "junit"])
def test_nothing_to_ask_is_still_a_report(kubelemma: Kubelemma, write: Write, form: str) -> None:
    """Whoever reads the report in CI finds one, with nothing in it."""
    old = write("old.yaml", deployment())
    run = kubelemma("check", old, "--from", old, "-o", form)
    assert run.code == 0
    assert run.out.strip()
    if form != "junit":
        assert json.loads(run.out)


def test_standard_input_is_one_thing(kubelemma: Kubelemma) -> None:
    """It cannot be what stands and what is applied."""
    run = kubelemma("check", "-", "--from", "-", stdin="")
    assert run.code == 2
    assert "standard input is either" in run.err


def test_a_field_that_no_rule_reads_is_a_rollout(kubelemma: Kubelemma, write: Write) -> None:
    """The template is another one, so all pods are replaced."""
    old, new = deployment(), deployment()
    new["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    run = kubelemma(
        "check", write("n.yaml", new), "--from", write("o.yaml", old), *nodes("2Gi"), *QUIET
    )
    assert run.code == 1
    assert "default/api: template: containers[0].env added" in plain(run.out)


def test_a_selector_is_refused(kubelemma: Kubelemma, write: Write) -> None:
    """In the API server's words, where it stands."""
    new = deployment("other")
    new["metadata"]["name"] = "api"
    run = kubelemma("check", write("n.yaml", new), "--from", write("o.yaml", deployment()))
    assert run.code == 2
    assert "spec.selector: Invalid value" in run.err
    assert "field is immutable" in run.err
    assert run.err.startswith("n.yaml:")


def test_replicas_grow(kubelemma: Kubelemma, write: Write) -> None:
    """A change of replicas is no rollout: what lacks room are the new pods."""
    old, new = write("o.yaml", deployment()), write("n.yaml", deployment(replicas=4))
    run = kubelemma("check", new, "--from", old, *nodes("2Gi"), *QUIET)
    assert run.code == 1
    assert "Deployment default/api: replicas 3→4" in plain(run.out)
    assert kubelemma("check", new, "--from", old, *nodes("4Gi"), *QUIET).code == 0


def test_a_strategy_with_its_template(kubelemma: Kubelemma, write: Write) -> None:
    """With the strategy that is applied old pods make room for new ones."""
    old = write("o.yaml", deployment())
    recreate = deployment(memory="3Gi", strategy={"type": "Recreate"})
    new = write("n.yaml", recreate)
    run = kubelemma("check", new, "--from", old, *nodes("4Gi"), *WIDE)
    assert run.code == 0
    assert "strategy.type RollingUpdate→Recreate" in plain(run.out)


def test_a_new_workload_beside_a_tight_one(kubelemma: Kubelemma, write: Write) -> None:
    """It is not there before, and takes what is left."""
    old = write("o.yaml", deployment())
    new = write("n.yaml", deployment("web", memory="3Gi"))
    run = kubelemma("check", new, "--from", old, *nodes("4Gi"), *WIDE)
    assert run.code == 1
    assert "Deployment default/web: new, replicas 3" in plain(run.out)
    assert "creates web" in run.out
    assert "paused" not in run.out
    assert "Deployment default/web is not there yet" in plain(run.out)
    assert "not given, and left as it is: Deployment default/api" in plain(run.out)
    assert kubelemma("check", new, "--from", old, *nodes("8Gi"), *QUIET).code == 0


def test_what_is_applied_is_told_in_brief(kubelemma: Kubelemma, write: Write) -> None:
    """Where all is well, too: whoever reads that it holds sees what does; of many, some."""
    names = [f"web-{number}" for number in range(6)]
    old = write("o.yaml", DAEMONS, *(deployment(name, replicas=1) for name in names))
    more = {**DAEMONS, "spec": {"minReadySeconds": 3}}
    one = write("n.yaml", more, deployment(names[0], replicas=2))
    run = kubelemma("check", one, "--from", old, *nodes("16Gi"), *QUIET)
    assert run.code == 0
    assert "change: at any time: Deployment default/web-0: replicas 1→2" in run.out
    assert "change: differ in what is not modelled: DaemonSet default/db" in run.out
    six = write("n.yaml", *(deployment(name, replicas=0) for name in names))
    run = kubelemma("check", six, "--from", old, *nodes("16Gi"), *QUIET, "--max-states", "9")
    assert run.out.count("\nchange: at any time: ") == 3
    assert "\nchange: 3 more (-o wide lists all)\n" in run.out


def test_two_changes_are_one_system(kubelemma: Kubelemma, write: Write) -> None:
    """Each at any time: both may want the same room."""
    old = write("o.yaml", deployment(replicas=1), deployment("web", replicas=1))
    new = [deployment(name, replicas=1, memory="3Gi") for name in ("api", "web")]
    run = kubelemma("check", write("n.yaml", *new), "--from", old, *nodes("4Gi", 2), *QUIET)
    assert run.code == 1
    assert "default/api+default/web" in run.out


def test_what_is_taken_away_with_prune(kubelemma: Kubelemma, write: Write) -> None:
    """Its pods go, so that there is room."""
    old = write("o.yaml", deployment(), deployment("web", memory="1Gi"))
    new = write("n.yaml", deployment())
    assert kubelemma("check", new, "--from", old, *QUIET).err.startswith("Nothing differs")
    run = kubelemma("check", new, "--from", old, "--prune", *nodes("4Gi"), *WIDE)
    assert run.code == 0
    assert "Deployment default/web: is taken away" in plain(run.out)


def test_prune_without_from(kubelemma: Kubelemma, write: Write) -> None:
    """There is nothing to take away from."""
    run = kubelemma("check", write("n.yaml", deployment()), "--prune")
    assert run.code == 2
    assert "--from" in run.err


def test_a_rollout_beside_it_is_refused(kubelemma: Kubelemma, write: Write) -> None:
    """What is applied has its rollout."""
    old, new = write("o.yaml", deployment()), write("n.yaml", deployment(memory="1Gi"))
    run = kubelemma("check", new, "--from", old, "--event", "rollout=api")
    assert run.code == 2


def test_events_beside_the_change(kubelemma: Kubelemma, write: Write) -> None:
    """Whatever else may happen can be asked, a way back too."""
    old = write("o.yaml", deployment(replicas=2))
    new = write("n.yaml", deployment(replicas=2, memory="3Gi"))
    run = kubelemma("check", new, "--from", old, *nodes("8Gi", 2), "--event", "rollback=api", *WIDE)
    assert run.code == 0
    assert "rollback of api once" in plain(run.out)


def live(*, applied: bool) -> Manifest:
    """What ``kubectl get`` shows of the Deployment, with what was applied or without."""
    found = copy.deepcopy(deployment(replicas=5))
    found["metadata"] |= {"uid": "u", "resourceVersion": "1"}
    if applied:
        text = json.dumps(deployment(replicas=5))
        found["metadata"]["annotations"] = {LAST_APPLIED: text}
    return found


@pytest.mark.parametrize("applied", [True, False])
def test_replicas_that_are_left_out(kubelemma: Kubelemma, write: Write, *, applied: bool) -> None:
    """They are taken away, so one is left, if they were applied; else they stay as they are."""
    new = deployment()
    del new["spec"]["replicas"]
    run = kubelemma(
        "check",
        write("n.yaml", new),
        "--from",
        write("o.yaml", live(applied=applied)),
        *nodes("16Gi"),
        *WIDE,
    )
    assert run.code == 0
    assert ("default/api: replicas 5→1" in plain(run.out)) == applied
    assert ("Nothing differs" in run.err) != applied
