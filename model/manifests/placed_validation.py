"""What the API server refuses in the kinds that only placement reads.

Sources: ``pkg/apis/apps/validation/validation.go``, ``pkg/apis/batch/validation/validation.go``,
``pkg/apis/core/validation/validation.go``, ``pkg/apis/scheduling/validation/validation.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kubelemma.model.objects.controllers import DaemonSet, Job, ReplicationController, StatefulSet
from kubelemma.model.objects.meta import LabelSelector
from kubelemma.model.objects.policies import LimitRange, PriorityClass, RuntimeClass
from kubelemma.model.objects.storage import PersistentVolume, PersistentVolumeClaim, StorageClass

from .kinds import Policy, Stored, Templated
from .pod_validation import pod_spec
from .problems import FieldPath, Finding, did_you_mean
from .resources import quantities
from .rules import at_least, label_selector, labels

_TEMPLATE: FieldPath = ("spec", "template")
_HIGHEST_PRIORITY = 1_000_000_000
_SYSTEM = "system-"


def templated(thing: Templated) -> Iterator[Finding]:
    """A workload: how many pods, which ones are its own, and what they are like."""
    template = thing.spec.template
    own = template.metadata.label_map()
    match thing:
        case StatefulSet():
            yield from at_least(0, thing.spec.replicas, ("spec", "replicas"))
            yield from _selects(thing.spec.selector, own)
        case DaemonSet():
            yield from _selects(thing.spec.selector, own)
        case ReplicationController():
            yield from at_least(0, thing.spec.replicas, ("spec", "replicas"))
            yield from _has(thing.spec.selector or own, own)
        case Job():
            yield from at_least(0, thing.spec.parallelism, ("spec", "parallelism"))
            yield from at_least(0, thing.spec.completions, ("spec", "completions"))
    yield from labels(own, (*_TEMPLATE, "metadata", "labels"))
    yield from pod_spec(template.spec, (*_TEMPLATE, "spec"))
    yield from _restarts(thing)


def _selects(selector: LabelSelector | None, own: Mapping[str, str]) -> Iterator[Finding]:
    path: FieldPath = ("spec", "selector")
    if selector is None:
        yield Finding(path, "is required")
    elif selector.is_empty():
        yield Finding(path, "is empty: it would claim every pod of the namespace")
    else:
        yield from label_selector(selector, path)
        yield from _has(selector.match_labels or {}, own)


def _has(wanted: Mapping[str, str], own: Mapping[str, str]) -> Iterator[Finding]:
    """The template's labels are those that the selector asks for."""
    path: FieldPath = (*_TEMPLATE, "metadata", "labels")
    for key, value in wanted.items():
        if key not in own:
            hint = did_you_mean(key, own)
            yield Finding(path, f"the selector asks for {key}: {value}, which is missing{hint}")
        elif own[key] != value:
            yield Finding((*path, key), f'"{own[key]}" is not what the selector asks: "{value}"')


def _restarts(thing: Templated) -> Iterator[Finding]:
    found = thing.spec.template.spec.restart_policy
    allowed = ("OnFailure", "Never") if isinstance(thing, Job) else ("Always", "")
    if found not in allowed:
        path: FieldPath = (*_TEMPLATE, "spec", "restartPolicy")
        words = " and ".join(filter(None, allowed))
        message = f'"{found}" is not allowed here: only {words}' if found else f"must be {words}"
        yield Finding(path, message)


def policy(thing: Policy) -> Iterator[Finding]:
    """A setting that admission writes into pods."""
    match thing:
        case PriorityClass():
            value = thing.value
            if value > _HIGHEST_PRIORITY and not thing.metadata.name.startswith(_SYSTEM):
                message = f"{value} is more than {_HIGHEST_PRIORITY}, the highest for users"
                yield Finding(("value",), message)
        case RuntimeClass():
            overhead = thing.overhead.pod_fixed if thing.overhead else None
            yield from quantities(overhead, ("overhead", "podFixed"))
        case LimitRange():
            for index, item in enumerate(thing.spec.limits):
                here: FieldPath = ("spec", "limits", index)
                yield from quantities(item.default, (*here, "default"))
                yield from quantities(item.default_request, (*here, "defaultRequest"))
                yield from quantities(item.max, (*here, "max"))
                yield from quantities(item.min, (*here, "min"))


def stored(thing: Stored) -> Iterator[Finding]:
    """A storage object: how large it is, and what it must name."""
    match thing:
        case PersistentVolume():
            yield from quantities(thing.spec.capacity, ("spec", "capacity"))
        case PersistentVolumeClaim():
            asked = thing.spec.resources.requests if thing.spec.resources else None
            yield from quantities(asked, ("spec", "resources", "requests"))
        case StorageClass():
            if not thing.provisioner:
                yield Finding(("provisioner",), "is required")
        case _:
            return
