"""Objects of every kind that is read, as Hypothesis draws them."""

from __future__ import annotations

from collections.abc import Mapping

from kubelemma.testing import strategies
from kubelemma.testing.strategies.words import Manifests

DRAWN: Mapping[str, Manifests] = {
    "Deployment": strategies.deployments(),
    "ReplicaSet": strategies.replica_sets(),
    "ReplicationController": strategies.replication_controllers(),
    "StatefulSet": strategies.stateful_sets(),
    "DaemonSet": strategies.daemon_sets(),
    "Job": strategies.jobs(),
    "Pod": strategies.pods(),
    "Node": strategies.nodes(),
    "Namespace": strategies.namespaces(),
    "Service": strategies.services(),
    "Endpoints": strategies.endpoints(),
    "EndpointSlice": strategies.endpoint_slices(),
    "Ingress": strategies.ingresses(),
    "IngressClass": strategies.ingress_classes(),
    "NetworkPolicy": strategies.network_policies(),
    "PodDisruptionBudget": strategies.disruption_budgets(),
    "PriorityClass": strategies.priority_classes(),
    "RuntimeClass": strategies.runtime_classes(),
    "ConfigMap": strategies.config_maps(),
    "Secret": strategies.secrets(),
    "LimitRange": strategies.limit_ranges(),
    "PersistentVolume": strategies.persistent_volumes(),
    "PersistentVolumeClaim": strategies.persistent_volume_claims(),
    "StorageClass": strategies.storage_classes(),
    "CSINode": strategies.csi_nodes(),
    "CSIDriver": strategies.csi_drivers(),
    "CSIStorageCapacity": strategies.csi_storage_capacities(),
    "VolumeAttachment": strategies.volume_attachments(),
}
"""By the names of the kinds."""
