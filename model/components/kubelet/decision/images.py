"""Whether the image of a container can be had on a node.

Sources: pkg/kubelet/images/image_manager.go, ``EnsureImageExists``; the default of the policy is
``SetDefaults_Container`` in pkg/apis/core/v1/defaults.go.
"""

from __future__ import annotations

from collections.abc import Container as Having
from collections.abc import Iterator
from typing import NamedTuple

from kubelemma.model.components.scheduler.decision.image_locality import normalized_name
from kubelemma.model.objects.node import Node
from kubelemma.model.objects.pod import Container, Pod

ALWAYS, NEVER, IF_NOT_PRESENT = "Always", "Never", "IfNotPresent"


class Image(NamedTuple):
    """An image, by its name with a tag, and when it is pulled."""

    name: str
    policy: str


MOST_LISTED = 50
"""How many images a Node lists at most (``nodeStatusMaxImages``)."""


class Unreliable(NamedTuple):
    """That the registry of a scenario's images may be away."""


def images_of(pod: Pod) -> Iterator[Image]:
    """The images of a pod's containers."""
    for container in (*(pod.spec.init_containers or ()), *(pod.spec.containers or ())):
        yield Image(normalized_name(container.image), policy(container))


def policy(container: Container) -> str:
    """When its image is pulled: always where the tag is ``latest``, if nothing else is said."""
    if container.image_pull_policy:
        return container.image_pull_policy
    name = container.image.partition("@")
    latest = normalized_name(name[0]).endswith(":latest") and (":latest" in name[0] or not name[2])
    return ALWAYS if latest else IF_NOT_PRESENT


def listed(node: Node) -> frozenset[str] | None:
    """The images that a Node says it has; None where that need not be all of them."""
    images = node.status.images or ()
    if not 0 < len(images) < MOST_LISTED:
        return None
    return frozenset(name for each in images for name in each.names or ())


def never_pulled(image: Image, node: Node) -> bool:
    """Whether it is not on a node that is known to have no such image, and nobody pulls it."""
    there = listed(node)
    return image.policy == NEVER and there is not None and image.name not in there


def can_be_had(image: Image, present: Having[str], *, registry: bool) -> bool:
    """Whether a container can be created; ``present`` are the images that the node has.

    With the policy Always the kubelet asks the registry even for what the node has.
    """
    if image.policy == ALWAYS:
        return registry
    return image.name in present or (registry and image.policy == IF_NOT_PRESENT)
