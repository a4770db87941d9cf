"""From documents to objects: defaults, what is left out, lists, scenarios, and real manifests."""

from __future__ import annotations

import gzip
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubelemma.model.kinds.registry import validate
from kubelemma.model.manifests import (
    CheckSpec,
    EventEntry,
    InvalidInput,
    Manifests,
    NodeCrash,
    NodeGroup,
    NodeReturn,
    Rollout,
    Scale,
    Source,
    load,
    nodes_of,
    parse_event,
    parse_events,
    parse_nodes,
    with_defaults,
)
from kubelemma.model.manifests.coverage import left_out
from kubelemma.model.manifests.purposes import CHECK as CHECKING
from kubelemma.model.manifests.shapes import shape_of
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.node import Namespace, Node, Taint
from kubelemma.model.objects.pod import Container, Pod
from kubelemma.model.objects.quantity import IntOrPercent, Quantity
from kubelemma.model.objects.workloads import Deployment, ReplicaSet

SHARED = Path(__file__).resolve().parents[3] / "shared"
MANIFESTS = SHARED / "data" / "manifests"
ORACLE = SHARED / "conformance" / "oracle" / "scheduler.jsonl.gz"
needs_manifests = pytest.mark.skipif(not MANIFESTS.is_dir(), reason=f"{MANIFESTS} is absent")
needs_oracle = pytest.mark.skipif(not ORACLE.is_file(), reason=f"{ORACLE} is absent")
FOLDER = Path(__file__).parent / "bad_input"
WEB = (FOLDER / "web.yaml").read_text("utf-8")
CHECK = (FOLDER / "check.yaml").read_text("utf-8")


def read(text: str) -> Manifests:
    """The manifests of one text."""
    return load([Source("f.yaml", text)])


def kept(pods: tuple[Container, ...] | None) -> list[object]:
    """What defaulting may touch in containers."""
    return [(container.resources, container.ports) for container in pods or ()]


def test_defaults_of_a_deployment() -> None:
    """A Deployment gets the API server's defaults, and what was written can still be told."""
    (web,) = read(WEB.replace("  replicas: 3\n", "").replace("      maxSurge: 25%\n", "")).of(
        Deployment
    )
    spec, rolling = web.object.spec, web.object.spec.strategy.rolling_update
    assert (spec.replicas, spec.revision_history_limit, spec.progress_deadline_seconds) == (
        1,
        10,
        600,
    )
    assert rolling is not None
    assert (rolling.max_surge, rolling.max_unavailable) == (
        IntOrPercent(25, percent=True),
        IntOrPercent(0),
    )
    assert web.object.metadata.namespace == "default"
    assert web.written.spec.replicas is None
    assert web.written.metadata.namespace == ""


def test_defaults_of_a_strategy() -> None:
    """Recreate has no bounds; a rolling update without any has a quarter each."""
    recreate = decode({"spec": {"strategy": {"type": "Recreate"}}}, Deployment)
    assert with_defaults(recreate).spec.strategy.rolling_update is None
    strategy = with_defaults(Deployment()).spec.strategy
    assert strategy.type == "RollingUpdate"
    assert strategy.rolling_update is not None
    assert str(strategy.rolling_update.max_surge) == "25%"
    assert str(strategy.rolling_update.max_unavailable) == "25%"


def test_defaults_of_pods() -> None:
    """Requests follow from limits, host ports from the host's network; amounts are in milli."""
    limits, requests = {"cpu": "2", "memory": "1Gi"}, {"cpu": "0.5m"}
    ports = [{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}]
    raw = {
        "hostNetwork": True,
        "overhead": {"cpu": "100u"},
        "containers": [{"resources": {"limits": limits, "requests": requests}, "ports": ports}],
    }
    spec = with_defaults(decode({"spec": raw}, Pod)).spec
    (container,) = spec.containers or ()
    assert container.resources is not None
    one_milli = Quantity.parse("1m")
    assert container.resources.requests == {"cpu": one_milli, "memory": Quantity.parse("1Gi")}
    assert [port.host_port for port in container.ports or ()] == [80, 81]
    assert spec.overhead == {"cpu": one_milli}
    assert (spec.restart_policy, spec.scheduler_name) == ("Always", "default-scheduler")
    assert spec.termination_grace_period_seconds == 30
    replica_set = decode({"spec": {"template": {"spec": raw}}}, ReplicaSet)
    assert with_defaults(replica_set).spec.template.spec == spec


@pytest.mark.parametrize(
    ("own", "container", "requests"),
    [
        ({"limits": {"cpu": "2"}}, {}, {"cpu": "2"}),
        (
            {"limits": {"cpu": "2"}},
            {"requests": {"cpu": "1", "memory": "1Gi"}},
            {"cpu": "1", "memory": "1Gi"},
        ),
        (
            {"limits": {"cpu": "2"}, "requests": {"cpu": "500m"}},
            {"requests": {"cpu": "1"}},
            {"cpu": "500m"},
        ),
        ({"requests": {"cpu": "2"}}, {"requests": {"memory": "1Gi"}}, {"cpu": "2"}),
    ],
)
def test_defaults_of_a_pod_as_a_whole(
    own: dict[str, Any], container: dict[str, Any], requests: dict[str, str]
) -> None:
    """A pod with limits of its own requests what its containers do, or else its limits."""
    raw = {"spec": {"resources": own, "containers": [{"resources": container}]}}
    pod = with_defaults(decode(raw, Pod))
    assert pod.spec.resources is not None
    assert pod.spec.resources.requests == {k: Quantity.parse(v) for k, v in requests.items()}


def test_defaults_of_nodes_and_namespaces() -> None:
    """A node offers its capacity where nothing is said; a namespace is labelled by its name."""
    node = with_defaults(
        decode({"metadata": {"namespace": "x"}, "status": {"capacity": {"cpu": 4}}}, Node)
    )
    assert node.status.allocatable == {"cpu": Quantity(4)}
    assert node.metadata.namespace == ""
    space = with_defaults(decode({"metadata": {"name": "a", "labels": {"b": "c"}}}, Namespace))
    assert space.metadata.labels == {"b": "c", "kubernetes.io/metadata.name": "a"}


def test_nulls_are_absent() -> None:
    """A field without a value is an absent field, and an empty string among labels."""
    (web,) = read(
        WEB.replace("replicas: 3", "replicas:")
        .replace("{app: web}", "{app: }")
        .replace("name: web", "name: web\n  labels: ~")
    ).of(Deployment)
    assert web.object.spec.replicas == 1
    assert web.object.spec.template.metadata.labels == {"app": ""}


def test_warnings() -> None:
    """What the API server accepts though hardly anybody means it is a warning."""
    manifests = read(WEB.replace("64Mi", "400m").replace("500m", "0.5m"))
    requests = "f.yaml:22: spec.template.spec.containers[0].resources.requests"
    assert [str(warning) for warning in manifests.warnings] == [
        f"{requests}.cpu: is finer than 1m, and is rounded up to 1m",
        f'{requests}.memory: "400m" is a fraction of a byte: "m" means thousandths ("Mi" or "M"?)',
    ]


def test_fields_that_are_left_out() -> None:
    """Every field that the model leaves out is listed once, in reading order, by its weight."""
    text = WEB.replace(
        "      containers:\n",
        """\
      schedulerName: mine
      serviceAccountName: web
      volumes:
      - {name: a, persistentVolumeClaim: {claimName: a}}
      - {name: b, emptyDir: {}}
      - {name: c, configMap: {name: c}}
      containers:
""",
    ).replace(
        "        ports:\n",
        "        readinessProbe: {httpGet: {port: 80}, periodSeconds: 5}\n        ports:\n",
    )
    spec = "spec.template.spec."
    assert [(n.severity, n.path, n.position.line) for n in read(text).not_modelled] == [
        ("not modelled", f"{spec}schedulerName", 18),
        ("irrelevant", f"{spec}volumes[1].emptyDir", 22),
        ("irrelevant", f"{spec}containers[0].readinessProbe.httpGet", 30),
        ("not modelled", f"{spec}containers[0].readinessProbe.periodSeconds", 30),
    ]


@pytest.mark.parametrize(
    ("old", "new", "path", "hint"),
    [
        ("replicas: 3", "replica: 3", "spec.replica", ' (did you mean "replicas"?)'),
        ("name: web", "name: web\n  comment: x", "metadata.comment", ""),
        (
            "        ports:",
            "        readinessProbe: {exec: {}, periodSecond: 5}\n        ports:",
            "spec.template.spec.containers[0].readinessProbe.periodSecond",
            ' (did you mean "periodSeconds"?)',
        ),
    ],
)
def test_misspelt_fields(old: str, new: str, path: str, hint: str) -> None:
    """A field that Kubernetes does not have is listed, with what may have been meant."""
    (listed,) = [n for n in read(WEB.replace(old, new, 1)).not_modelled if n.path == path]
    assert listed.object == "Deployment default/web"
    assert listed.reason == f"no field of Kubernetes{hint}: it is ignored"
    assert str(listed).endswith(f": Deployment default/web: {path}: {listed.reason}")


def test_kinds_that_are_left_out() -> None:
    """Kinds that are not modelled are listed as whole objects; those of others are too."""
    text = "\n---\n".join(
        f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}"
        for version, kind in (
            ("autoscaling/v2", "HorizontalPodAutoscaler"),
            ("v1", "PodTemplate"),
            ("resource.k8s.io/v1", "ResourceClaim"),
            ("example.com/v1", "Deployment"),
            ("v1", "Unheard"),
        )
    )
    assert [(n.object, n.path, n.severity, n.position.line) for n in read(text).not_modelled] == [
        ("HorizontalPodAutoscaler default/a", "", "not modelled", 1),
        ("PodTemplate default/a", "", "irrelevant", 5),
        ("ResourceClaim default/a", "", "not modelled", 9),
        ("Deployment a", "", "not modelled", 13),
        ("Unheard default/a", "", "not modelled", 17),
    ]


def test_lists() -> None:
    """Lists hold objects at their own lines; a typed list speaks for its items."""
    inside = WEB.replace("\n", "\n  ").rstrip()
    nodes = "apiVersion: v1\nkind: NodeList\nitems:\n- metadata: {name: a}\n"
    manifests = read(f"apiVersion: v1\nkind: List\nitems:\n- {inside}\n---\n{nodes}")
    assert [str(m.document.at("metadata.name")) for m in manifests.objects] == [
        "f.yaml:7",
        "f.yaml:33",
    ]
    assert [m.object.metadata.name for m in manifests.of(Node)] == ["a"]


def test_checks() -> None:
    """A scenario is read with its defaults, and its fields have positions."""
    text = CHECK.replace(
        "  faults:", "  - nodeReturn:\n  - {scale: {deployment: web, replicas: 0}}\n  faults:"
    )
    (manifest,) = read(text).checks
    spec = manifest.check.spec
    assert [entry.event for entry in spec.events] == [
        Rollout(deployment="web"),
        NodeCrash(),
        NodeReturn(),
        Scale(deployment="web", replicas=0),
    ]
    assert (spec.faults.stale_reads, spec.scheduler.scoring, spec.bounds.max_states) == (
        0,
        None,
        None,
    )
    assert (spec.properties, spec.expect) == (
        ("DEP-1", "DEP-2", "DEP-4", "SCH-2"),
        {"DEP-4": "violated"},
    )
    assert manifest.document.at("spec.events[1].nodeCrash.max").line == 11


@pytest.mark.parametrize(
    ("written", "events"),
    [("", None), ("  events:\n", None), ("  events: null\n", None), ("  events: []\n", ())],
)
def test_checks_without_events(written: str, events: tuple[EventEntry, ...] | None) -> None:
    """An empty list of events is another thing than none that is given, and stays so in writing."""
    kind = "apiVersion: kubelemma.dev/v1alpha1\nkind: Check\nmetadata: {name: a}\n"
    (manifest,) = read(f"{kind}spec:\n  properties: [DEP-4]\n{written}").checks
    assert manifest.check.spec.events == events
    plain = msgspec.to_builtins(manifest.check.spec, enc_hook=str)
    assert decode(plain, CheckSpec) == manifest.check.spec


@pytest.mark.parametrize(
    ("texts", "events"),
    [
        ((), None),
        (("none",), ()),
        (("none", "none"), ()),
        (("drain", "rollout=web"), ({"drain": {}}, {"rollout": {"workload": "web"}})),
    ],
)
def test_all_events_from_flags(texts: tuple[str, ...], events: tuple[Any, ...] | None) -> None:
    """No flag leaves the events open, ``none`` says that there are none."""
    expected = None if events is None else tuple(decode(event, EventEntry) for event in events)
    assert parse_events(texts) == expected


def test_none_stands_alone() -> None:
    """An event beside ``none`` is a contradiction, told in one sentence."""
    with pytest.raises(InvalidInput) as refused:
        parse_events(("rollout=web", "none"))
    assert list(map(str, refused.value.problems)) == [
        '--event: "none" means no events at all: no other can stand beside it'
    ]


def test_nodes_of_a_check() -> None:
    """Groups of nodes become nodes with names, host names, zones in turn, and 110 pods."""
    more = "    - {count: 2}\n    - {count: 3, name: gpu, zones: 2}\n    - {name: big}\n"
    (manifest,) = read(CHECK.replace("    nodes:\n", "    nodes:\n" + more)).checks
    nodes = nodes_of(manifest.check.spec.cluster)
    assert [n.metadata.name for n in nodes] == [
        *("node-1", "node-2", "gpu-1", "gpu-2", "gpu-3", "big", "node-3", "node-4", "node-5"),
    ]
    zones = [n.metadata.label_map().get("topology.kubernetes.io/zone") for n in nodes]
    assert zones[2:5] == ["zone-1", "zone-2", "zone-1"]
    assert set(zones) == {None, "zone-1", "zone-2"}
    assert all(n.metadata.label_map()["kubernetes.io/hostname"] == n.metadata.name for n in nodes)
    assert [str((n.status.allocatable or {})["pods"]) for n in nodes] == ["110"] * 6 + ["4"] * 3


def test_nodes_from_a_flag() -> None:
    """A flag says all that a group of nodes in a scenario can say."""
    text = (
        "count=3,cpu=4,memory=16Gi,pods=110,nvidia.com/gpu=2,zones=3,name=n,unschedulable=true,"
        "labels.disk=ssd,labels.example.com/a=b,taint=key=value:NoSchedule,taint=other:NoExecute"
    )
    assert parse_nodes(text) == NodeGroup(
        count=3,
        name="n",
        allocatable={
            "cpu": Quantity(4),
            "memory": Quantity.parse("16Gi"),
            "pods": Quantity(110),
            "nvidia.com/gpu": Quantity(2),
        },
        labels={"disk": "ssd", "example.com/a": "b"},
        taints=(
            Taint(key="key", value="value", effect="NoSchedule"),
            Taint(key="other", effect="NoExecute"),
        ),
        unschedulable=True,
        zones=3,
    )


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("rollout=frontend", {"rollout": {"workload": "frontend"}}),
        (
            "rollout=web,max=2,new-version=crash-looping",
            {"rollout": {"workload": "web", "max": 2, "newVersion": "crashLooping"}},
        ),
        ("scale=prod/web:5", {"scale": {"workload": "prod/web", "replicas": 5}}),
        ("pause=web", {"pause": {"workload": "web"}}),
        ("resume=web", {"resume": {"workload": "web"}}),
        ("rollback=web", {"rollback": {"workload": "web"}}),
        ("delete-pod=web", {"deletePod": {"workload": "web"}}),
        ("deletePod=web", {"deletePod": {"workload": "web"}}),
        ("probe-failure=web", {"probeFailure": {"workload": "web"}}),
        ("node-crash=2", {"nodeCrash": {"max": 2}}),
        ("node-return", {"nodeReturn": {}}),
        ("drain=1", {"drain": {"max": 1}}),
        ("drain=node-1", {"drain": {"node": "node-1"}}),
        ("drain,disable-eviction=true", {"drain": {"disableEviction": True}}),
        (
            "drain=node-1,timeout-seconds=60,delete-empty-dir-data=false",
            {"drain": {"node": "node-1", "timeoutSeconds": 60, "deleteEmptyDirData": False}},
        ),
        ("cordon=node-1,max=3", {"cordon": {"node": "node-1", "max": 3}}),
        ("uncordon", {"uncordon": {}}),
    ],
)
def test_events_from_a_flag(text: str, entry: dict[str, Any]) -> None:
    """A flag says all that an event in a scenario can say."""
    assert parse_event(text) == decode(entry, EventEntry)


@needs_manifests
@pytest.mark.parametrize(
    ("folder", "kinds", "others"),
    [
        ("online-boutique", {"Deployment": 12, "Service": 12}, {"ServiceAccount"}),
        (
            "podinfo",
            {"Deployment": 4, "Service": 5, "StatefulSet": 1, "PersistentVolumeClaim": 1},
            {"ServiceAccount", "CronJob", "HorizontalPodAutoscaler"},
        ),
        (
            "kubernetes-examples",
            {
                "Deployment": 3,
                "ReplicationController": 1,
                "Service": 4,
                "StatefulSet": 1,
                "StorageClass": 1,
            },
            {"DaemonSet"},
        ),
    ],
)
def test_real_manifests(folder: str, kinds: dict[str, int], others: set[str]) -> None:
    """Manifests that nobody here wrote are read without a complaint, and no field is misspelt."""
    manifests = load([Source(str(MANIFESTS / folder))], kustomize=False)
    assert Counter(type(m.object).__name__ for m in manifests.objects) == kinds
    assert {n.object.split()[0] for n in manifests.not_modelled if not n.path} == others
    assert [n for n in manifests.not_modelled if "no field of Kubernetes" in n.reason] == []
    lines = {m.document.at("metadata.name").line for m in manifests.objects}
    assert min(lines) > 1


@needs_manifests
@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_real_kustomize() -> None:
    """What Kustomize builds of a base holds the same objects as its files."""
    base = [Source(str(MANIFESTS / "online-boutique"))]
    built, plain = load(base), load(base, kustomize=False)
    by_name = {(type(m.object), m.object.metadata.name): m.object for m in plain.objects}
    assert {(type(m.object), m.object.metadata.name): m.object for m in built.objects} == by_name


def oracle_problems() -> Iterator[dict[str, Any]]:
    """Problems with pods that the real API server defaulted and validated."""
    with gzip.open(ORACLE, "rt", encoding="utf-8") as lines:
        yield from (json.loads(line)["input"] for line in lines)


@needs_oracle
def test_what_kubernetes_accepts_is_accepted() -> None:
    """Every pod that passed the real validation passes ours, and misspells no field."""
    for problem in oracle_problems():
        for raw in (problem["pod"], problem.get("submittedPod", {}), *problem["pods"][:2]):
            if raw:
                assert list(validate(decode(raw, Pod))) == []
            noted = left_out(raw, shape_of(Pod), CHECKING.fields)
            assert not any("no field" in field.note.reason for field in noted)


@needs_oracle
def test_what_kubernetes_stores_is_complete() -> None:
    """A pod as submitted gets the requests that the real API server stored, a stored one none."""
    for problem in oracle_problems():
        stored = decode(problem["pod"], Pod)
        for raw in (problem["pod"], problem.get("submittedPod", problem["pod"])):
            pod = with_defaults(decode(raw, Pod))
            assert kept(pod.spec.containers) == kept(stored.spec.containers)
            assert kept(pod.spec.init_containers) == kept(stored.spec.init_containers)
            assert pod.spec.resources == stored.spec.resources
