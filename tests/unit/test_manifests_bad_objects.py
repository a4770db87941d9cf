"""Objects that the API server would refuse: what is said of each, to the letter."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from kubelemma.model.manifests import InvalidInput, Source, load

WEB = (Path(__file__).parent / "bad_input" / "web.yaml").read_text("utf-8")
CONTAINERS = "      containers:\n"
PORTS = "        ports:\n"
TEMPLATE = "spec.template.spec."
CONTAINER = f"{TEMPLATE}containers[0]."


def said(text: str) -> list[str]:
    """What is said of a text that cannot be used, without its name."""
    with pytest.raises(InvalidInput) as refused:
        load([Source("f.yaml", text)])
    assert all(problem.position.file == "f.yaml" for problem in refused.value.problems)
    return [str(problem).removeprefix("f.yaml:") for problem in refused.value.problems]


class Case(NamedTuple):
    """A change to the faultless Deployment, and everything that is said of it."""

    old: str
    new: str
    said: str
    also: tuple[str, ...] = ()


MAX_SURGE = "12: spec.strategy.rollingUpdate.maxSurge: "
TYPES = [
    Case("replicas: 3", 'replicas: "3"', '6: spec.replicas: expected an integer, found the string "3" (remove the quotes)'),
    Case("replicas: 3", "replicas: three", '6: spec.replicas: expected an integer, found the string "three"'),
    Case("replicas: 3", "replicas: 2.5", "6: spec.replicas: expected an integer, found the number 2.5"),
    Case("replicas: 3", "replicas: yes", "6: spec.replicas: expected an integer, found the boolean yes"),
    Case("replicas: 3", "replicas: [3]", "6: spec.replicas: expected an integer, found a list"),
    Case("replicas: 3", "replicas: '{{ .Values.replicas }}'", '6: spec.replicas: expected an integer, found the string "{{ .Values.replicas }}" (a template? render it first: helm template)'),
    Case("replicas: 3", "paused: 'true'", '6: spec.paused: expected a boolean (true or false), found the string "true" (remove the quotes)'),
    Case("25%", "25 %", MAX_SURGE + '"25 %" is neither an integer nor a percentage (a blank before the percent sign?)'),
    Case("25%", "-1", MAX_SURGE + "-1 is negative"),
    Case("25%", "yes", MAX_SURGE + "expected an integer or a percentage, found the boolean yes"),
    Case("25%", "2.5%", MAX_SURGE + '"2.5%" is neither an integer nor a percentage (fractions are not allowed)'),
    Case("type: RollingUpdate", "type: Rolling", '10: spec.strategy.type: "Rolling" is not one of RollingUpdate, Recreate (did you mean "RollingUpdate"?)'),
    Case("type: RollingUpdate", "type: 1", "10: spec.strategy.type: expected one of RollingUpdate, Recreate, found the number 1"),
    Case("labels: {app: web}", "labels: {app: web, v: 1}", '16: spec.template.metadata.labels.v: expected a string, found the number 1 (quote it: "1")'),
    Case("labels: {app: web}", "labels: {app: web, v: 010}", '16: spec.template.metadata.labels.v: expected a string, found the number 010 (quote it: "010")'),
    Case("labels: {app: web}", "labels: {app: web, v: no}", "16: spec.template.metadata.labels.v: expected a string, found the boolean no (an unquoted no is a boolean in YAML: quote it)"),
    Case("labels: {app: web}", "labels: {app: web, v: true}", '16: spec.template.metadata.labels.v: expected a string, found the boolean true (quote it: "true")'),
    Case("labels: {app: web}", "labels: app=web", '16: spec.template.metadata.labels: expected an object, found the string "app=web" (write app: web)'),
    Case("labels: {app: web}", "labels: [app]", '16: spec.template.metadata.labels: expected an object, found a list (a "- " too many?)'),
    Case("containers:\n      - name", "containers:\n        name", '18: spec.template.spec.containers: expected a list, found an object (a "- " is missing before its first key?)'),
    Case("8080", "http", f'25: {CONTAINER}ports[0].containerPort: expected an integer, found the string "http"'),
    Case("500m", "four", f'22: {CONTAINER}resources.requests.cpu: "four" is not a quantity such as 500m, 2 or 4Gi'),
    Case("64Mi", "64MB", f'22: {CONTAINER}resources.requests.memory: "64MB" has the unknown unit "MB" (Kubernetes units have no B: "64M"?)'),
    Case("500m", "true", f"22: {CONTAINER}resources.requests.cpu: expected a quantity such as 500m or 2Gi, found the boolean true"),
    Case(
        "matchLabels: {app: web}",
        "matchExpressions: [{key: app, operator: in, values: [web]}, {key: b}]",
        '8: spec.selector.matchExpressions[0].operator: "in" is not one of In, NotIn, Exists, DoesNotExist (did you mean "In"?)',
        ("8: spec.selector.matchExpressions[1].operator: is required",),
    ),
]

NAMES = [
    Case("  name: web\n", "  labels: {a: b}\n", "3: metadata.name: is required"),
    Case("name: web", "name:", "4: metadata.name: is required (nothing follows its colon)"),
    Case("name: web", "nmae: web", '3: metadata.name: is required (is "nmae" a misspelling?)'),
    Case("name: web", "generateName: web-", "3: metadata.name: is required (generateName finds a name on the server only)"),
    Case("name: web", "name: Web_1", '4: metadata.name: "Web_1" is no valid name: only lower-case letters, digits, "-" and "." (did you mean "web-1"?)'),
    Case("name: web", "name: '{{ .Release.Name }}'", '4: metadata.name: "{{ .Release.Name }}" is no valid name: only lower-case letters, digits, "-" and "." (a template? render it first: helm template)'),
    Case("name: web", "name: " + "w" * 254, '4: metadata.name: "wwwwwwwwwwwwwwwwwwww..." has 254 characters, 253 are allowed'),
    Case("name: web", "name: web\n  namespace: a.b", '5: metadata.namespace: "a.b" is no valid name: only lower-case letters, digits and "-" (did you mean "a-b"?)'),
    Case("name: web", "name: web\n  labels: {-a: b}", '5: metadata.labels[-a]: "-a" is no valid label key: only letters, digits, "-", "_" and ".", after a domain and "/" if need be'),
    Case("name: web", "name: web\n  labels: {A_B/c: d}", '5: metadata.labels[A_B/c]: "A_B/c" is no valid label key: "A_B" before the "/" is no domain'),
    Case("name: web", "name: web\n  labels: {a: b c}", '5: metadata.labels.a: "b c" is no valid label value: only letters, digits, "-", "_" and ".", beginning and ending with a letter or digit'),
    Case("name: web", "name: web\n  labels: {a: " + "b" * 64 + "}", '5: metadata.labels.a: "bbbbbbbbbbbbbbbbbbbb..." has 64 characters, 63 are allowed'),
]

WORKLOADS = [
    Case("replicas: 3", "replicas: -1", "6: spec.replicas: -1 is negative"),
    Case("replicas: 3", "replicas: 3000000000", "6: spec.replicas: 3000000000 is more than a 32-bit integer holds (2147483647)"),
    Case("replicas: 3", "minReadySeconds: -1", "6: spec.minReadySeconds: -1 is negative"),
    Case("replicas: 3", "revisionHistoryLimit: -1", "6: spec.revisionHistoryLimit: -1 is negative"),
    Case("replicas: 3", "progressDeadlineSeconds: 5\n  minReadySeconds: 5", "6: spec.progressDeadlineSeconds: 5 is not greater than minReadySeconds"),
    Case("  selector:\n    matchLabels: {app: web}\n", "", "5: spec.selector: is required"),
    Case("matchLabels: {app: web}", "matchLabels: {}", "7: spec.selector: is empty: it would claim every pod of the namespace"),
    Case("matchLabels: {app: web}", "app: web", "7: spec.selector: is empty: it would claim every pod of the namespace (write matchLabels: above app)"),
    Case("labels: {app: web}", "labels: {app: wbe}", '16: spec.template.metadata.labels.app: "wbe" is not what the selector asks: "web"'),
    Case("labels: {app: web}", "labels: {ap: web}", '16: spec.template.metadata.labels: the selector asks for app: web, which is missing (did you mean "ap"?)'),
    Case("matchLabels: {app: web}", "matchExpressions: [{key: tier, operator: In, values: [a, b]}]", "16: spec.template.metadata.labels: the selector asks for tier In a b, which does not hold"),
    Case("matchLabels: {app: web}", "matchExpressions: [{key: app, operator: NotIn}]", "8: spec.selector.matchExpressions[0].values: is required: NotIn compares with values"),
    Case("matchLabels: {app: web}", "matchExpressions: [{key: app, operator: Exists, values: [web]}]", "8: spec.selector.matchExpressions[0].values: is not allowed: Exists takes no values"),
    Case("type: RollingUpdate", "type: Recreate", "11: spec.strategy.rollingUpdate: is not allowed with type Recreate (remove it, or the type)"),
    Case("25%", "0%", "11: spec.strategy.rollingUpdate: maxSurge and maxUnavailable are both 0: no pod could be replaced"),
    Case("maxUnavailable: 0", "maxUnavailable: 150%", '13: spec.strategy.rollingUpdate.maxUnavailable: "150%" is more than 100%'),
]

PODS = [
    Case(CONTAINERS, "      container:\n", f'17: {TEMPLATE}containers: is required: a pod has at least one container (is "container" a misspelling?)'),
    Case("- name: app", "- naem: app", f'19: {CONTAINER}name: is required (is "naem" a misspelling?)'),
    Case("        image: example/app\n", "", f"19: {CONTAINER}image: is required"),
    Case(PORTS, "      - {name: app, image: a}\n      - name: b\n        image: b\n" + PORTS, f'24: {TEMPLATE}containers[1].name: "app" is the name of another container of this pod'),
    Case(CONTAINERS, "      initContainers: [{name: app, image: a}]\n" + CONTAINERS, f'20: {CONTAINER}name: "app" is the name of another container of this pod'),
    Case("64Mi", "256Mi", f'22: {CONTAINER}resources.requests.memory: "256Mi" is more than the limit: 128Mi'),
    Case("500m", "-500m", f'22: {CONTAINER}resources.requests.cpu: "-500m" is negative'),
    Case("cpu: 500m", "cpus: 1", f'22: {CONTAINER}resources.requests.cpus: "cpus" is no resource of a container (did you mean "cpu"?)'),
    Case("cpu: 500m", "nvidia.com/gpu: 1", f"22: {CONTAINER}resources.requests[nvidia.com/gpu]: needs a limit of the same amount: it cannot be overcommitted"),
    Case("limits: {", "limits: {nvidia.com/gpu: 0.5, ", f'23: {CONTAINER}resources.limits[nvidia.com/gpu]: "500m" is not a whole number'),
    Case("8080", "80800", f"25: {CONTAINER}ports[0].containerPort: 80800 is not between 1 and 65535"),
    Case("8080", "80\n          protocol: tcp", f'26: {CONTAINER}ports[0].protocol: "tcp" is not one of TCP, UDP, SCTP (did you mean "TCP"?)'),
    Case("8080", "80\n          hostPort: 80\n        - {containerPort: 81, hostPort: 80}", f"27: {CONTAINER}ports[1].hostPort: 80/TCP is taken by another port of this pod"),
    Case("8080", "80\n          hostPort: 81\n      hostNetwork: true", f"26: {CONTAINER}ports[0].hostPort: 81 is not the containerPort, as hostNetwork demands"),
    Case(CONTAINERS, "      restartPolicy: Never\n" + CONTAINERS, f'18: {TEMPLATE}restartPolicy: "Never" is not allowed here: only Always is'),
    Case(CONTAINERS, "      restartPolicy: always\n" + CONTAINERS, f'18: {TEMPLATE}restartPolicy: "always" is not one of Always, OnFailure, Never (did you mean "Always"?)'),
    Case(CONTAINERS, "      activeDeadlineSeconds: 5\n" + CONTAINERS, f"18: {TEMPLATE}activeDeadlineSeconds: is not allowed here: only in Pods and Jobs"),
    Case(CONTAINERS, "      preemptionPolicy: never\n" + CONTAINERS, f'18: {TEMPLATE}preemptionPolicy: "never" is not one of PreemptLowerPriority, Never (did you mean "Never"?)'),
    Case(CONTAINERS, "      priorityClassName: High\n" + CONTAINERS, f'18: {TEMPLATE}priorityClassName: "High" is no valid name: only lower-case letters, digits, "-" and "." (did you mean "high"?)'),
    Case(CONTAINERS, "      schedulingGates: [{name: a}, {name: a}]\n" + CONTAINERS, f'18: {TEMPLATE}schedulingGates[1].name: "a" is there already'),
    Case(CONTAINERS, "      resources: {limits: {memory: 64Mi}}\n" + CONTAINERS, f'24: {CONTAINER}resources.limits.memory: "128Mi" is more than the pod\'s limit: 64Mi'),
    Case(CONTAINERS, "      resources: {requests: {cpu: 100m}}\n" + CONTAINERS, f'18: {TEMPLATE}resources.requests.cpu: "100m" is less than its containers request together: 500m'),
]

PLACES = [
    Case(
        CONTAINERS,
        """\
      tolerations:
      - {key: a, operator: Exists, value: b}
      - {value: b}
      - {key: a, tolerationSeconds: 5}
      - {operator: Exist}
      - {key: a, operator: Gt, value: "1"}
      - {key: a, effect: noexecute}
"""
        + CONTAINERS,
        f"19: {TEMPLATE}tolerations[0].value: is not allowed: operator Exists takes no value",
        (
            f"20: {TEMPLATE}tolerations[1].key: is required, unless operator is Exists (tolerates all)",
            f"21: {TEMPLATE}tolerations[2].tolerationSeconds: is allowed with effect NoExecute only",
            f'22: {TEMPLATE}tolerations[3].operator: "Exist" is not one of Equal, Exists, Gt, Lt (did you mean "Exists"?)',
            f'23: {TEMPLATE}tolerations[4].operator: "Gt" needs a feature gate that is off (TaintTolerationComparisonOperators)',
            f'24: {TEMPLATE}tolerations[5].effect: "noexecute" is not one of NoSchedule, PreferNoSchedule, NoExecute (did you mean "NoExecute"?)',
        ),
    ),
    Case(
        CONTAINERS,
        """\
      topologySpreadConstraints:
      - {maxSkew: 0, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, minDomains: 2}
      - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}
      - {maxSkew: 1, topologyKey: "", whenUnsatisfiable: DoNotSchedule, minDomains: 0}
      - {maxSkew: 1, topologyKey: host, whenUnsatisfiable: DoNotSchedule, matchLabelKeys: [a]}
"""
        + CONTAINERS,
        f"19: {TEMPLATE}topologySpreadConstraints[0].maxSkew: 0 is less than 1",
        (
            f"19: {TEMPLATE}topologySpreadConstraints[0].minDomains: is allowed with whenUnsatisfiable DoNotSchedule only",
            f"20: {TEMPLATE}topologySpreadConstraints[1]: zone with ScheduleAnyway is there already",
            f"21: {TEMPLATE}topologySpreadConstraints[2].topologyKey: is required",
            f"21: {TEMPLATE}topologySpreadConstraints[2].minDomains: 0 is less than 1",
            f"22: {TEMPLATE}topologySpreadConstraints[3].matchLabelKeys: is not allowed without labelSelector",
        ),
    ),
    Case(
        CONTAINERS,
        """\
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
            - matchExpressions:
              - {key: cores, operator: Gt, values: [four]}
              - {key: disk, operator: In}
            - matchFields:
              - {key: metadata.uid, operator: Exists}
          preferredDuringSchedulingIgnoredDuringExecution:
          - {weight: 200, preference: {}}
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
          - labelSelector: {}
          preferredDuringSchedulingIgnoredDuringExecution:
          - {weight: 0, podAffinityTerm: {topologyKey: zone, namespaces: [A]}}
"""
        + CONTAINERS,
        "REQUIRED.nodeSelectorTerms[0].matchExpressions[0].values: Gt compares with exactly one integer",
    ),
]


@pytest.mark.parametrize(
    "case", [*TYPES, *NAMES, *WORKLOADS, *PODS, *PLACES[:2]], ids=lambda case: case.new[:30]
)
def test_bad_deployments(case: Case) -> None:
    """A fault in a Deployment is refused with this very message, and nothing else."""
    assert case.old in WEB
    assert said(WEB.replace(case.old, case.new, 1)) == [case.said, *case.also]


def test_bad_affinities() -> None:
    """Every fault in an affinity is found, each at its own line."""
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    node, pod = f"{TEMPLATE}affinity.nodeAffinity.", f"{TEMPLATE}affinity.podAntiAffinity."
    terms = f"{node}{required}.nodeSelectorTerms"
    assert said(WEB.replace(CONTAINERS, PLACES[2].new)) == [
        f"23: {terms}[0].matchExpressions[0].values: Gt compares with exactly one integer",
        f"24: {terms}[0].matchExpressions[1].values: is required: In compares with values",
        f'26: {terms}[1].matchFields[0].key: "metadata.uid" cannot be matched: only metadata.name can',
        f'26: {terms}[1].matchFields[0].operator: "Exists" is not one of In, NotIn',
        f"26: {terms}[1].matchFields[0].values: takes exactly one name",
        f"28: {node}{preferred}[0].weight: 200 is not between 1 and 100",
        f"31: {pod}{required}[0].topologyKey: is required",
        f"33: {pod}{preferred}[0].weight: 0 is not between 1 and 100",
        f'33: {pod}{preferred}[0].podAffinityTerm.namespaces[0]: "A" is no valid name: only '
        'lower-case letters, digits and "-" (did you mean "a"?)',
    ]
