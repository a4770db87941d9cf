"""Hypothesis strategies for Kubernetes objects, clusters and scenarios.

All give plain data, as ``yaml.safe_load`` does, so that it can be dumped, applied and checked; with
`typed` it is what the model works on. What is drawn is valid: kubelemma reads it without complaint,
and so should an API server. It shrinks to what a person would write first.
"""

from .affinities import affinities, node_selectors, spread_constraints, tolerations, topology_keys
from .configuration import config_maps, secrets
from .nodes import clusters, namespaces, nodes, taints
from .pods import pod_specs, pod_templates, pods
from .policies import (
    disruption_budgets,
    endpoint_slices,
    endpoints,
    ingress_classes,
    ingresses,
    limit_ranges,
    network_policies,
    priority_classes,
    runtime_classes,
    services,
)
from .scenarios import applications, checks, events, node_groups, scenarios
from .storage import (
    csi_drivers,
    csi_nodes,
    csi_storage_capacities,
    persistent_volume_claims,
    persistent_volumes,
    storage_classes,
    volume_attachments,
)
from .typing import typed
from .words import (
    Manifest,
    cpu,
    label_keys,
    label_values,
    labels,
    memory,
    names,
    resources,
    selectors,
)
from .workloads import (
    daemon_sets,
    deployments,
    jobs,
    replica_sets,
    replication_controllers,
    stateful_sets,
)

__all__ = [
    "Manifest",
    "affinities",
    "applications",
    "checks",
    "clusters",
    "config_maps",
    "cpu",
    "csi_drivers",
    "csi_nodes",
    "csi_storage_capacities",
    "daemon_sets",
    "deployments",
    "disruption_budgets",
    "endpoint_slices",
    "endpoints",
    "events",
    "ingress_classes",
    "ingresses",
    "jobs",
    "label_keys",
    "label_values",
    "labels",
    "limit_ranges",
    "memory",
    "names",
    "namespaces",
    "network_policies",
    "node_groups",
    "node_selectors",
    "nodes",
    "persistent_volume_claims",
    "persistent_volumes",
    "pod_specs",
    "pod_templates",
    "pods",
    "priority_classes",
    "replica_sets",
    "replication_controllers",
    "resources",
    "runtime_classes",
    "scenarios",
    "secrets",
    "selectors",
    "services",
    "spread_constraints",
    "stateful_sets",
    "storage_classes",
    "taints",
    "tolerations",
    "topology_keys",
    "typed",
    "volume_attachments",
]
