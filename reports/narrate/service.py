"""Services: who receives their traffic.

No controller of the model acts on them: what is shown follows from the pods that there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from kubelemma.model.components.disruption.rules import is_ready
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.service import Service
from kubelemma.model.scenario import Scenario
from kubelemma.reports.picture import ServiceBox

from .cast import Cast
from .phases import SHOWN_READY
from .scene import Seen
from .selected import Selected, selected, whole_name
from .teller import Boxes, Teller
from .written import Written


def _boxes(scenario: Scenario, written: Written) -> Boxes:
    """The Services that select pods of a workload."""
    services = [
        (manifest.object, found)
        for manifest in written.manifests.of(Service)
        if (found := selected(scenario, partial(_serves, manifest.object), is_ready)).classes
    ]

    def look(seen: Seen, cast: Cast) -> Iterator[ServiceBox]:
        return (_box(seen, cast, *each) for each in services)

    return look


def _serves(service: Service, pod: Pod) -> bool:
    """A Service without a selector has its endpoints from somebody else."""
    wanted = (service.spec.selector or {}).items()
    labels = pod.metadata.label_map()
    same = service.metadata.namespace == pod.metadata.namespace
    return bool(wanted) and same and all(labels.get(key) == value for key, value in wanted)


def _box(seen: Seen, cast: Cast, service: Service, found: Selected) -> ServiceBox:
    """Who receives traffic: pods that the API shows Ready and that are not being deleted."""
    ready = [pod for pod in found.pods(seen, cast) if pod.phase in SHOWN_READY]
    beside = found.beside(seen)
    down = {name for name, node in seen.nodes().items() if not node.up}
    return ServiceBox(
        name=whole_name(service.metadata),
        endpoints=tuple(sorted(pod.name for pod in ready)),
        others=sum(beside.values()),
        silent=sum(pod.node in down for pod in ready)
        + sum(number for name, number in beside.items() if name in down),
    )


TELLER = Teller(name="service", boxes=_boxes)
