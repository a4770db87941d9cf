"""Fields of the Kubernetes API v1.35 that the model leaves out, and what follows from it.

One table: for each type of ``model/objects`` the fields that are not decoded, or are decoded but
not honoured. ``irrelevant`` fields cannot change a verdict, ``not modelled`` ones might. A field of
such a type that is neither in the type nor here is none of Kubernetes'.

Source: the types in ``staging/src/k8s.io/api/core/v1/types.go``,
``staging/src/k8s.io/api/apps/v1/types.go``, ``staging/src/k8s.io/api/policy/v1/types.go`` and
``staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from kubelemma.model.objects import disruption, meta, node, pod, workloads

from .kinds import Note

FieldNotes: TypeAlias = "Mapping[str, Note | FieldNotes | None]"
"""Field to what is said of it; or the notes on its parts; or None where nothing need be said."""


def _irrelevant(reason: str, *names: str) -> dict[str, Note]:
    return dict.fromkeys(names, Note("irrelevant", reason))


def _not_modelled(reason: str, *names: str) -> dict[str, Note]:
    return dict.fromkeys(names, Note("not modelled", reason))


_NO_EFFECT = "has no effect on scheduling or rollout"
_BY_SERVER = "is set by the cluster itself"
_STATUS = "is what a cluster once observed: the check starts from the specification"
_INSIDE = "concerns what runs inside the containers, not where or when"
_TIME = "how long a probe waits is not counted: it may pass, or fail, at any time"
_NETWORK = "networking is not modelled"
_DEVICES = "devices do not constrain scheduling in the check"
_PINNED = "a volume may tie the pod to a zone or a node, or to one pod at a time: it is free here"

_PROBE: FieldNotes = {
    **_irrelevant(_INSIDE, "exec", "httpGet", "tcpSocket", "grpc"),
    **_not_modelled(_TIME, "initialDelaySeconds", "timeoutSeconds", "periodSeconds"),
    **_not_modelled(_TIME, "successThreshold", "failureThreshold"),
    **_not_modelled(_TIME, "terminationGracePeriodSeconds"),
}

_VOLUME: FieldNotes = {
    "name": None,
    **_irrelevant(_NO_EFFECT, "emptyDir", "hostPath", "image", "gitRepo", "nfs"),
    **_irrelevant(
        "a missing source would keep the container from starting: it is taken to be there",
        "configMap",
        "secret",
        "projected",
        "downwardAPI",
    ),
    **_not_modelled(_PINNED, "persistentVolumeClaim", "ephemeral", "csi", "iscsi", "fc", "rbd"),
    **_not_modelled(_PINNED, "awsElasticBlockStore", "azureDisk", "gcePersistentDisk", "cinder"),
    **_not_modelled(_PINNED, "vsphereVolume", "portworxVolume", "photonPersistentDisk", "scaleIO"),
    **_irrelevant(_NO_EFFECT, "azureFile", "cephfs", "flexVolume", "flocker", "glusterfs"),
    **_irrelevant(_NO_EFFECT, "quobyte", "storageos"),
}

_LIFECYCLE: FieldNotes = {
    **_not_modelled(
        "a pod terminates in one step here, however long its preStop hook takes", "preStop"
    ),
    **_irrelevant(_INSIDE, "postStart", "stopSignal"),
}


FieldsByType: TypeAlias = Mapping[type[msgspec.Struct], FieldNotes]

NOTES: FieldsByType = {
    meta.ObjectMeta: {
        **_irrelevant(_NO_EFFECT, "annotations"),
        **_irrelevant(_BY_SERVER, "uid", "resourceVersion", "generation", "managedFields"),
        **_irrelevant(_BY_SERVER, "creationTimestamp", "selfLink", "clusterName"),
        **_not_modelled(
            "the object is on its way out of the cluster: it is taken as if it stayed",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        ),
        **_not_modelled("finalizers are not modelled: a deletion takes effect", "finalizers"),
    },
    meta.OwnerReference: _irrelevant(_NO_EFFECT, "apiVersion", "blockOwnerDeletion"),
    workloads.Deployment: _irrelevant(_STATUS, "status"),
    workloads.DeploymentSpec: _not_modelled(
        "is no longer read by Kubernetes (removed with extensions/v1beta1)", "rollbackTo"
    ),
    workloads.ReplicaSetStatus: _irrelevant(
        _STATUS, "fullyLabeledReplicas", "observedGeneration", "conditions", "terminatingReplicas"
    ),
    disruption.PodDisruptionBudget: _irrelevant(_STATUS, "status"),
    node.NodeSpec: _irrelevant(
        _NO_EFFECT, "podCIDR", "podCIDRs", "providerID", "externalID", "configSource"
    ),
    node.NodeStatus: {
        **_irrelevant(_NO_EFFECT, "addresses", "daemonEndpoints", "nodeInfo", "phase", "config"),
        **_irrelevant(_NO_EFFECT, "runtimeHandlers", "features", "declaredFeatures"),
        **_not_modelled(
            "limits on attached volumes are not modelled", "volumesInUse", "volumesAttached"
        ),
    },
    node.NodeCondition: _irrelevant(
        _NO_EFFECT, "lastHeartbeatTime", "lastTransitionTime", "reason", "message"
    ),
    node.Taint: _irrelevant(_NO_EFFECT, "timeAdded"),
    node.Namespace: _irrelevant(_NO_EFFECT, "spec", "status"),
    pod.PodStatus: {
        **_irrelevant(_STATUS, "observedGeneration", "message", "qosClass", "resize"),
        **_irrelevant(_STATUS, "hostIP", "hostIPs", "podIP", "podIPs", "allocatedResources"),
        **_irrelevant(_STATUS, "ephemeralContainerStatuses", "resourceClaimStatuses"),
        **_irrelevant(_STATUS, "extendedResourceClaimStatus"),
    },
    pod.PodCondition: _irrelevant(_STATUS, "lastProbeTime", "message", "observedGeneration"),
    pod.ContainerStatus: {
        **_irrelevant(_STATUS, "state", "lastState", "started", "image", "imageID", "containerID"),
        **_irrelevant(_STATUS, "volumeMounts", "user", "stopSignal", "allocatedResourcesStatus"),
    },
    pod.PodSpec: {
        **_irrelevant(_INSIDE, "securityContext", "hostPID", "hostIPC", "hostUsers", "os"),
        **_irrelevant(
            _INSIDE, "shareProcessNamespace", "enableServiceLinks", "ephemeralContainers"
        ),
        **_irrelevant(_NETWORK, "dnsPolicy", "dnsConfig", "hostAliases", "hostname", "subdomain"),
        **_irrelevant(_NETWORK, "setHostnameAsFQDN", "hostnameOverride"),
        **_irrelevant(
            "a missing account or secret would refuse the pods: they are taken to be there",
            "serviceAccountName",
            "serviceAccount",
            "automountServiceAccountToken",
            "imagePullSecrets",
        ),
        "volumes": _VOLUME,
        **_not_modelled(
            "needs its PriorityClass: the pod has priority 0 here, unless spec.priority says other",
            "priorityClassName",
        ),
        **_not_modelled("the pod is never stopped by a deadline here", "activeDeadlineSeconds"),
        **_not_modelled(
            "the pod is ready here as soon as its containers are, whatever the gates say",
            "readinessGates",
        ),
        **_not_modelled(
            "the overhead and the node selector of its RuntimeClass are not added",
            "runtimeClassName",
        ),
        **_not_modelled(_DEVICES, "resourceClaims"),
        **_not_modelled("pods are scheduled one by one, never as a group", "workloadRef"),
    },
    pod.Container: {
        **_irrelevant(_INSIDE, "command", "args", "workingDir", "env", "envFrom", "stdin", "tty"),
        **_irrelevant(_INSIDE, "stdinOnce", "securityContext", "volumeMounts", "volumeDevices"),
        **_irrelevant(_INSIDE, "terminationMessagePath", "terminationMessagePolicy"),
        **_irrelevant(
            "images are taken to be pulled, or not, as the events of the check say",
            "image",
            "imagePullPolicy",
        ),
        **_irrelevant("pods are not resized in the check", "resizePolicy"),
        **_not_modelled(
            "a container restarts, or not, as the restart policy of its pod says",
            "restartPolicyRules",
        ),
        "livenessProbe": _PROBE,
        "readinessProbe": _PROBE,
        "startupProbe": _PROBE,
        "lifecycle": _LIFECYCLE,
    },
    pod.ContainerPort: _irrelevant(_NETWORK, "name"),
    pod.ResourceRequirements: _not_modelled(_DEVICES, "claims"),
}
"""Type to the notes on its fields; a type that is missing has no such field."""
