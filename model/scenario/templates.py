"""The pods that a Deployment stamps out, as the API server stores them."""

from __future__ import annotations

import msgspec

from kubelemma.model.cluster.world import Behaviour, PodClass
from kubelemma.model.components.replicaset.decision import deletion_cost_of
from kubelemma.model.components.scheduler.decision.match_label_keys import merge_label_keys
from kubelemma.model.components.tainteviction.decision import with_default_tolerations
from kubelemma.model.objects.meta import LabelSelector, ObjectMeta, OwnerReference
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment

HASH = "pod-template-hash"


def revision_hash(template: int) -> str:
    """What stands for the hash of the template: ``v1`` for the first one."""
    return f"v{template + 1}"


def pod_of(deployment: Deployment, template: int) -> Pod:
    """A pod of the given template, after admission, without a name of its own.

    All templates of a scenario are the user's, told apart by their hash as after ``kubectl rollout
    restart`` or a new image.
    """
    source = deployment.spec.template
    labels = {**source.metadata.label_map(), HASH: revision_hash(template)}
    owner = OwnerReference(
        kind="ReplicaSet",
        name=f"{deployment.metadata.name}-{revision_hash(template)}",
        controller=True,
    )
    metadata = ObjectMeta(
        namespace=deployment.metadata.namespace,
        labels=labels,
        annotations=source.metadata.annotations,
        owner_references=(owner,),
    )
    tolerations = with_default_tolerations(source.spec.tolerations or ())
    spec = msgspec.structs.replace(source.spec, tolerations=tolerations)
    return merge_label_keys(Pod(metadata=metadata, spec=spec))


def pod_class(
    deployment: Deployment, index: int, workload: int, template: int, behaviour: Behaviour
) -> PodClass:
    """The class of the pods of one template."""
    pod = pod_of(deployment, template)
    selector = deployment.spec.selector or LabelSelector()
    wanted = {**(selector.match_labels or {}), HASH: revision_hash(template)}
    return PodClass(
        index=index,
        workload=workload,
        template=template,
        pod=pod,
        behaviour=behaviour,
        min_ready_seconds=deployment.spec.min_ready_seconds,
        deletion_cost=deletion_cost_of(pod.metadata.annotation_map()),
        selector=msgspec.structs.replace(selector, match_labels=wanted),
    )
