"""Fields of what several kinds have that are left out, and what follows from it.

For each type the fields of the Kubernetes API v1.35 that are not decoded, or are decoded but not
honoured. ``irrelevant`` fields cannot change a verdict, ``not modelled`` ones might. A field that
one purpose leaves out may be what the other is about.

Source: the types in ``staging/src/k8s.io/api/core/v1/types.go`` and
``staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go``.
"""

from __future__ import annotations

from kubelemma.model.components.replicaset.decision import POD_DELETION_COST
from kubelemma.model.kinds.notes import (
    DISKS,
    NO_EFFECT,
    NOT_PLACING,
    ByKey,
    ByValue,
    FieldNotes,
    FieldsByType,
    Note,
    Within,
    irrelevant,
    not_modelled,
    opening,
    without,
)
from kubelemma.model.objects import configuration, meta, pod, storage, volume, workloads

_BY_SERVER = "is set by the cluster itself"
_INSIDE = "concerns what runs inside the containers, not where or when"
_PORT = "only whether a port that it names is there counts: else the probe never succeeds"
_TIME = "how long a probe waits is not counted: it may pass, or fail, at any time"
_NETWORK = "networking is not modelled"
_DEVICES = "devices do not constrain scheduling in the check"
_NO_DEVICES = "devices do not constrain placement here"
_PINNED = "a volume may tie the pod to a zone or a node, or to one pod at a time: it is free here"

_SCHEDULER = ByValue(
    ("default-scheduler",),
    None,
    Note(
        "not modelled",
        "another scheduler decides about the pod: it is taken to decide as the default one does",
    ),
)
_OS = ByValue(
    ("linux",),
    Note("irrelevant", _INSIDE),
    Note(
        "not modelled",
        "a kubelet of another operating system refuses the pod: nodes are told apart only by "
        "their labels here",
    ),
)
_PULLING = ByValue(
    ("Always", "IfNotPresent"),
    Note("irrelevant", "counts where the registry may be away: else all images can be pulled"),
    Note("irrelevant", "counts where Nodes list their images: else the image is taken to be there"),
)

_PROBE: FieldNotes = {
    **irrelevant(_INSIDE, "exec", "grpc"),
    **irrelevant(_PORT, "httpGet", "tcpSocket"),
    **not_modelled(_TIME, "initialDelaySeconds", "timeoutSeconds", "periodSeconds"),
    **not_modelled(_TIME, "successThreshold", "failureThreshold"),
    **not_modelled(_TIME, "terminationGracePeriodSeconds"),
}
_STARTING: FieldNotes = {
    **_PROBE,
    **dict.fromkeys(("initialDelaySeconds", "periodSeconds", "failureThreshold")),
}
"""Of a probe that may kill a container while it starts: when it does is counted where a scenario
says how long containers take (``startSeconds``)."""

_VOLUME: FieldNotes = {
    "name": None,
    "persistentVolumeClaim": {"claimName": None, **irrelevant(NO_EFFECT, "readOnly")},
    **irrelevant(NO_EFFECT, "emptyDir", "hostPath", "image", "gitRepo", "nfs"),
    **dict.fromkeys(("configMap", "secret", "projected")),
    **irrelevant(NO_EFFECT, "downwardAPI"),
    **not_modelled(_PINNED, "ephemeral", "csi"),
    **opening(_PINNED, "iscsi", "fc", "rbd", "cinder"),
    **opening(_PINNED, "awsElasticBlockStore", "azureDisk", "gcePersistentDisk"),
    **opening(_PINNED, "vsphereVolume", "portworxVolume", "photonPersistentDisk", "scaleIO"),
    **irrelevant(NO_EFFECT, "azureFile", "cephfs", "flexVolume", "flocker", "glusterfs"),
    **irrelevant(NO_EFFECT, "quobyte", "storageos"),
}

_LIFECYCLE: FieldNotes = {
    "preStop": None,
    **irrelevant(_INSIDE, "postStart", "stopSignal"),
}

ANNOTATIONS = (
    workloads.REVISION,
    workloads.DESIRED,
    workloads.MAXIMUM,
    POD_DELETION_COST,
    pod.MIRROR,
    *storage.ANNOTATIONS,
)
"""Those that somebody reads."""

CHECK: FieldsByType = {
    meta.ObjectMeta: {
        "annotations": ByKey(ANNOTATIONS, Note("irrelevant", NO_EFFECT)),
        **irrelevant(_BY_SERVER, "resourceVersion", "managedFields", "selfLink", "clusterName"),
        **not_modelled(
            "the object is on its way out of the cluster: it is taken as if it stayed",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        ),
        "finalizers": ByKey(
            storage.PROTECTION,
            Note("not modelled", "finalizers are not modelled: a deletion takes effect"),
        ),
    },
    meta.OwnerReference: irrelevant(NO_EFFECT, "apiVersion", "blockOwnerDeletion"),
    volume.PersistentVolumeClaimTemplate: irrelevant(NO_EFFECT, "apiVersion", "kind", "status"),
    pod.PodSpec: {
        **irrelevant(_INSIDE, "securityContext", "hostPID", "hostIPC", "hostUsers"),
        **irrelevant(_INSIDE, "shareProcessNamespace", "enableServiceLinks", "ephemeralContainers"),
        **irrelevant(_NETWORK, "dnsPolicy", "dnsConfig", "hostAliases", "hostname", "subdomain"),
        **irrelevant(_NETWORK, "setHostnameAsFQDN", "hostnameOverride"),
        **irrelevant(
            "a missing account would refuse the pods: it is taken to be there",
            "serviceAccount",
            "automountServiceAccountToken",
        ),
        "volumes": _VOLUME,
        "schedulerName": _SCHEDULER,
        "os": {"name": _OS},
        "restartPolicy": ByValue(
            ("Always",),
            None,
            Note("not modelled", "the pod may end by itself: it is taken to run for ever"),
        ),
        **not_modelled("the pod is never stopped by a deadline here", "activeDeadlineSeconds"),
        **not_modelled(_DEVICES, "resourceClaims"),
        **not_modelled("pods are scheduled one by one, never as a group", "workloadRef"),
    },
    pod.Container: {
        **irrelevant(_INSIDE, "command", "args", "workingDir", "stdin", "tty"),
        **irrelevant(_INSIDE, "stdinOnce", "securityContext", "volumeMounts", "volumeDevices"),
        **irrelevant(_INSIDE, "terminationMessagePath", "terminationMessagePolicy"),
        "imagePullPolicy": _PULLING,
        **irrelevant("a resize restarts no container here", "resizePolicy"),
        **not_modelled(
            "a container restarts, or not, as the restart policy of its pod says",
            "restartPolicyRules",
        ),
        "livenessProbe": _STARTING,
        "readinessProbe": _PROBE,
        "startupProbe": _STARTING,
        "lifecycle": _LIFECYCLE,
    },
    pod.ResourceRequirements: not_modelled(_DEVICES, "claims"),
    configuration.EnvVar: irrelevant(_INSIDE, "name", "value"),
    configuration.EnvVarSource: irrelevant(_INSIDE, "fieldRef", "resourceFieldRef", "fileKeyRef"),
    configuration.EnvFromSource: irrelevant(_INSIDE, "prefix"),
}
"""Of a check."""

OF_PODS = Within(
    {
        meta.ObjectMeta: {
            **without(CHECK[meta.ObjectMeta], "deletionTimestamp"),
            **irrelevant(_BY_SERVER, "deletionGracePeriodSeconds"),
        }
    }
)
"""Of the metadata of a pod in a check: it ends as soon as it may."""

PLACEMENT: FieldsByType = {
    **CHECK,
    meta.ObjectMeta: {
        **without(CHECK[meta.ObjectMeta], "deletionTimestamp"),
        "annotations": ByKey(
            (workloads.REVISION, pod.MIRROR, *storage.ANNOTATIONS), Note("irrelevant", NOT_PLACING)
        ),
        **irrelevant(NOT_PLACING, "finalizers", "deletionGracePeriodSeconds"),
    },
    pod.PodSpec: {
        **without(CHECK[pod.PodSpec], "volumes", "restartPolicy"),
        **irrelevant(NOT_PLACING, "activeDeadlineSeconds", "readinessGates", "imagePullSecrets"),
        **not_modelled(_NO_DEVICES, "resourceClaims"),
    },
    pod.Container: {
        **CHECK[pod.Container],
        **irrelevant(NOT_PLACING, "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"),
        **irrelevant(NOT_PLACING, "restartPolicyRules", "image", "imagePullPolicy"),
        **irrelevant(NOT_PLACING, "env", "envFrom"),
        **irrelevant("pods are taken at the size that they have now", "resizePolicy"),
    },
    pod.ResourceRequirements: not_modelled(_NO_DEVICES, "claims"),
    volume.Volume: {
        **irrelevant(NOT_PLACING, "emptyDir", "hostPath", "image", "gitRepo", "nfs"),
        **irrelevant(NOT_PLACING, "configMap", "secret", "projected", "downwardAPI"),
        **not_modelled(DISKS, "csi", "iscsi", "fc", "rbd", "awsElasticBlockStore", "azureDisk"),
        **not_modelled(DISKS, "gcePersistentDisk", "cinder", "vsphereVolume", "portworxVolume"),
        **not_modelled(DISKS, "photonPersistentDisk", "scaleIO"),
        **irrelevant(NOT_PLACING, "azureFile", "cephfs", "flexVolume", "flocker", "glusterfs"),
        **irrelevant(NOT_PLACING, "quobyte", "storageos"),
    },
    volume.PersistentVolumeClaimVolumeSource: irrelevant(NOT_PLACING, "readOnly"),
    volume.PersistentVolumeClaimTemplate: irrelevant(NOT_PLACING, "apiVersion", "kind", "status"),
    volume.PersistentVolumeClaimSpec: {
        **not_modelled("the claim is taken to be empty", "dataSource", "dataSourceRef"),
        **irrelevant(NOT_PLACING, "volumeAttributesClassName"),
    },
}
"""Of a placement."""
