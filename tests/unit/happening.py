"""Inputs in which all that is modelled happens: each action is possible in one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from kubelemma import api
from kubelemma.model.scenario import Scenario
from kubelemma.model.scenario.assembly import assemble
from kubelemma.question import STDIN, Question

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  revisionHistoryLimit: 0
  minReadySeconds: 5
  strategy: STRATEGY
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      tolerations:
      - {key: node.kubernetes.io/unreachable, effect: NoExecute, tolerationSeconds: 30}
      containers: [{name: web, image: "web:1", resources: {requests: {cpu: 500m}}}]
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: everything}
spec:
  cluster: {nodes: [{count: 3, allocatable: {cpu: "1"}}]}
  faults: {controllerRestarts: 1, apiServerOutages: 1}
  events:
  - rollout: {deployment: web}
  - rollout: {deployment: web, newVersion: crashLooping}
  - scale: {deployment: web, replicas: 3}
  - scale: {deployment: web, replicas: 0}
  - pause: {deployment: web}
  - resume: {deployment: web}
  - rollback: {deployment: web}
  - nodeCrash: {max: 2}
  - nodeReturn: {max: 2}
  - cordon: {max: 1}
  - uncordon: {max: 1}
  - drain: {max: 1}
  - deletePod: {deployment: web}
  - probeFailure: {deployment: web}
"""

BUDGETS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: first}
spec: {maxUnavailable: 1, unhealthyPodEvictionPolicy: AlwaysAllow, selector: SELECTOR}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: second}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: drains}
spec:
  cluster: {nodes: [{count: 2, allocatable: {cpu: "1"}}]}
  faults: {lostRequests: 1}
  events:
  - drain: {max: 2, timeoutSeconds: 60}
  - drain: {max: 1, disableEviction: true}
  - probeFailure: {deployment: web}
"""


REFUSED = """
apiVersion: v1
kind: LimitRange
metadata: {name: small}
spec: {limits: [{type: Container, max: {cpu: "1"}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", resources: {limits: {cpu: "2"}}}]}
"""


ALONE = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
---
apiVersion: v1
kind: ReplicationController
metadata: {name: other}
spec:
  replicas: 1
  selector: {app: other}
  template:
    metadata: {labels: {app: other}}
    spec: {containers: [{name: web, image: "web:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: lone, labels: {app: web}}
spec: {containers: [{name: web, image: "lone:1"}]}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: alone}
spec:
  together: [web, other]
  cluster: {nodes: [{count: 2, allocatable: {cpu: "1"}}]}
  events:
  - relabel: {workload: ReplicaSet/web, label: app=other}
  - scale: {workload: other, replicas: 0}
"""

CONFIGURED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        envFrom: [{configMapRef: {name: web}}]
        livenessProbe: {exec: {command: ["true"]}}
      volumes: [{name: key, secret: {secretName: web}}]
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: configured}
spec:
  cluster: {nodes: [{count: 2, allocatable: {cpu: "1"}}]}
  startSeconds: 25
  events:
  - rollout: {deployment: web}
  - nodeCrash: {max: 1}
  - deleteConfigMap: {name: web}
  - createConfigMap: {name: web}
  - deleteSecret: {name: web}
  - createSecret: {name: web}
  - registryOutage: {}
"""

RESIZED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", resources: {requests: {cpu: 500m}}}]}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: resized}
spec:
  cluster: {nodes: [{count: 2, allocatable: {cpu: "1"}}]}
  events: [{resize: {workload: web, cpu: 700m}}, {resize: {workload: web, cpu: "2"}}]
"""


SET = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  replicas: 2
  serviceName: web
  revisionHistoryLimit: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", resources: RESOURCES}]}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: set}
spec:
  cluster: {nodes: [{count: 2, allocatable: {cpu: "1"}}]}
  events:
  - rollout: {workload: web}
  - scale: {workload: web, replicas: 1}
  - scale: {workload: web, replicas: 3}
  - rollback: {workload: web}
  - deletePod: {workload: web}
  - forceDeletePod: {workload: web}
  - nodePartition: {}
  - outOfService: {}
  - nodeShutdown: {}
  - runtimeOutage: {}
"""
MISSING = (
    SET.split("  - rollout", maxsplit=1)[0].replace("  events:", "  cloud: {}\n  events:")
    + "  - nodeCrash: {}\n  - machineMissing: {}\n"
)
SWITCHED_OFF = MISSING.replace("machineMissing", "machineStopped") + "  - nodeReturn: {}\n"
NEW_NODE = (
    MISSING.replace("  - nodeCrash: {}\n  - machineMissing: {}\n", "")
    .replace("replicas: 2", "replicas: 1")
    .replace(
        '[{count: 2, allocatable: {cpu: "1"}}]',
        '[{count: 1, allocatable: {cpu: "1"}}, {name: new, allocatable: {cpu: "1"}, taints: ['
        "{key: node.cloudprovider.kubernetes.io/uninitialized, effect: NoSchedule}, "
        "{key: node.kubernetes.io/network-unavailable, effect: NoSchedule}]}]",
    )
    + "  - scale: {workload: web, replicas: 2}\n  - machineUnknown: {}\n  - refuseRoutes: {}\n"
)


LOCAL = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: i}], volumes: [{name: v, emptyDir: {}}]}
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: local}
spec:
  events: [{drain: {deleteEmptyDirData: false}}]
"""


CLAIMED = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: disk}
provisioner: ebs.csi.aws.com
reclaimPolicy: POLICY
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: disk, resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: GRACE
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
      containers: [{name: web, image: "web:1"}]
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: volumes}
spec:
  cluster: {nodes: [{count: 3, allocatable: {cpu: "1"}}]}
  events:
"""
STARTING = "  - scale: {deployment: web, replicas: 1}\n"
ENDING = "  - scale: {deployment: web, replicas: 0}\n  - deleteClaim: {}\n  - deleteVolume: {}\n"
LOST = """
  - nodeCrash: {node: node-1}
  - nodeReturn: {node: node-2}
  - outOfService: {}
"""
STATIC = """---
apiVersion: v1
kind: PersistentVolume
metadata: {name: given}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: disk
  nfs: {server: files, path: /}
"""


def claimed(events: str, *, grace: int = 30, replicas: int = 1, policy: str = "Delete") -> Question:
    """A Deployment with a claim, and what happens to it."""
    text = CLAIMED.replace("GRACE", str(grace)).replace("POLICY", policy) + events
    return Question(paths=(STDIN,), stdin=text.replace("REPLICAS", str(replicas)))


BALANCED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  selector: {app: web}
  ports: [{port: 80}]
---
apiVersion: kubelemma.dev/v1alpha1
kind: Check
metadata: {name: balanced}
spec:
  cloud: {}
  cluster: {nodes: [{count: 2, allocatable: {cpu: "1"}}]}
  events:
  - deletePod: {workload: web}
  - deleteService: {}
  - stripFinalizer: {}
  - holdLoadBalancer: {}
  - releaseLoadBalancer: {}
  - reuseAddress: {}
  - cloudControllerRestart: {}
"""


CLAIMING_MEMBERS = """
kind: Check
apiVersion: kubelemma.dev/v1alpha1
metadata: {name: members-with-claims}
spec:
  cluster: {nodes: [{count: 1, allocatable: {cpu: "4", memory: 8Gi, pods: "9"}}]}
  events:
  - scale: {workload: db, replicas: 1}
  - deleteClaim: {}
---
kind: StatefulSet
apiVersion: apps/v1
metadata: {name: db}
spec:
  replicas: 0
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:1"}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


LEAVING_MEMBERS = (
    CLAIMING_MEMBERS.replace("replicas: 0", "replicas: 3")
    .replace("  - deleteClaim: {}", "  - scale: {workload: db, replicas: 3}")
    .replace(
        "  volumeClaimTemplates:",
        "  persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}\n  volumeClaimTemplates:",
    )
)


def scenarios() -> Iterator[Scenario]:
    """Scenarios in which everything may happen that any component brings about."""
    for strategy in ("{rollingUpdate: {maxSurge: 1}}", "{type: Recreate}"):
        text = WEB.replace("STRATEGY", strategy)
        yield from scenarios_of(Question(paths=(STDIN,), stdin=text))
    for selector in ("{matchLabels: {app: web}}", "{matchLabels: {app: another}}"):
        text = BUDGETS.replace("SELECTOR", selector)
        yield from scenarios_of(Question(paths=(STDIN,), stdin=text))
    text = BUDGETS.replace("{app: web}}}", "{app: another}}}").replace("SELECTOR", "{}")
    for scenario in scenarios_of(Question(paths=(STDIN,), stdin=text)):
        yield scenario
        world, start, events, choices, custom = cast("tuple[Any, ...]", scenario.recipe)
        choices = replace(choices, every_write=True)
        yield replace(scenario, system=assemble(world, start, events, choices, custom))
    small, large = "{requests: {cpu: 100m}}", "{limits: {cpu: 2}}"
    refused = REFUSED.split("---", maxsplit=1)[0] + "---" + SET.replace("RESOURCES", large)
    members = SET.replace("RESOURCES", small)
    calm = members.split("  - scale", maxsplit=1)[0]
    events = "  - scale: {workload: web, replicas: 0}\n  - deletePod: {workload: web, max: 9}\n"
    at_once = calm.replace("revisionHistoryLimit: 0", "podManagementPolicy: Parallel") + events
    missing = MISSING.replace("RESOURCES", small)
    for text in (
        ALONE,
        REFUSED,
        LOCAL,
        CONFIGURED,
        RESIZED,
        members,
        calm,
        at_once,
        refused,
        BALANCED,
        missing,
        SWITCHED_OFF.replace("RESOURCES", small),
        NEW_NODE.replace("RESOURCES", small),
    ):
        yield from scenarios_of(Question(paths=(STDIN,), stdin=text))
    base = EXAMPLES / "rollout-anti-affinity" / "deployment.yaml"
    changed = base.read_text("utf-8").replace("replicas: ", "replicas: 1")
    yield from scenarios_of(Question(paths=(STDIN,), stdin=changed, base=(str(base),)))
    other = changed.replace("name: web", "name: other")
    gone = Question(paths=(STDIN,), stdin=other, base=(str(base),), prune=True)
    yield from scenarios_of(gone)
    yield from scenarios_of(claimed(STARTING, replicas=0))
    yield from scenarios_of(claimed(STARTING + STATIC, replicas=0))
    yield from scenarios_of(claimed(ENDING, grace=0))
    yield from scenarios_of(claimed(ENDING, policy="Retain"))
    yield from scenarios_of(claimed(LOST))
    yield from scenarios_of(Question(paths=(STDIN,), stdin=CLAIMING_MEMBERS))
    yield from scenarios_of(Question(paths=(STDIN,), stdin=LEAVING_MEMBERS))
    yield from scenarios_of(claimed("  - nodeCrash: {}\n  - outOfService: {}\n"))
    answering = ("drain-loses-requests", "ingress-loses-requests", "headless-loses-requests")
    losing = ("memory-pressure", "node-returns-uncordoned")
    waiting = ("kubelet-rejects", "room-not-yet-free", "balancer-left-behind", "zones-parted")
    for example in ("missing-service-account", "whole-flow", *waiting, *losing, *answering):
        yield from scenarios_of(Question(paths=(str(EXAMPLES / example),)))
    shop = EXAMPLES / "own-controller"
    load = tuple(str(shop / file) for file in ("shop_operator.py", "promises.py"))
    yield from scenarios_of(Question(paths=(str(shop),), load=load))


def scenarios_of(question: Question) -> Iterator[Scenario]:
    """The scenarios of a question."""
    return (case.scenario for case in api.ask(question).cases)
