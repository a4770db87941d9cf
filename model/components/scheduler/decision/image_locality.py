"""Plugin ImageLocality: nodes that hold the pod's images already.

How many nodes hold an image is a sum over all nodes; the rest depends on the one node.

Source: pkg/scheduler/framework/plugins/imagelocality/image_locality.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubelemma.model.objects.pod import Pod

from .nodeinfo import NodeInfo
from .normalize import MAX_NODE_SCORE

_MIB = 1024 * 1024
MIN_THRESHOLD = 23 * _MIB
MAX_CONTAINER_THRESHOLD = 1000 * _MIB


def normalized_name(image: str) -> str:
    """The image's name with its tag; the one without a tag is ``latest``."""
    return image if image.rfind(":") > image.rfind("/") else f"{image}:latest"


def contribution(info: NodeInfo) -> dict[str, int]:
    """What one node adds to the state: 1 for each name of each image it holds."""
    names = (image.names or () for image in info.node.status.images or ())
    return {name: 1 for group in names for name in group}


def _sizes(info: NodeInfo) -> dict[str, int]:
    """Bytes by name of image, as this node reports them.

    The scheduler keeps the size that any node reported first, which is the same as long as nodes
    agree on what a name means.
    """
    images = info.node.status.images or ()
    return {name: image.size_bytes for image in images for name in image.names or ()}


def score_images(pod: Pod, info: NodeInfo, holders: Mapping[str, int], nodes: int) -> int:
    """The score, 0..100: bytes held here, each image by the share of nodes that hold it.

    ``holders`` is the sum of all nodes' contributions, ``nodes`` their number.
    """
    containers = (pod.spec.init_containers or ()) + (pod.spec.containers or ())
    sizes = _sizes(info)
    held = 0
    for container in containers:
        name = normalized_name(container.image)
        if name in sizes:
            held += int(sizes[name] * (holders[name] / nodes))
    highest = MAX_CONTAINER_THRESHOLD * len(containers)
    clamped = MIN_THRESHOLD if held < MIN_THRESHOLD else min(held, highest)
    return MAX_NODE_SCORE * (clamped - MIN_THRESHOLD) // (highest - MIN_THRESHOLD)
