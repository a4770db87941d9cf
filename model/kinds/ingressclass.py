"""IngressClass.

Source: ``pkg/apis/networking/validation/validation.go`` (``ValidateIngressClass``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.objects.ingress import IngressClass, IngressClassSpec

from .kind import Kind, Use
from .notes import NO_EFFECT, NOT_PLACING, Note, irrelevant
from .parts.names import dns_subdomain
from .parts.rules import problem

_CONTROLLER: FieldPath = ("spec", "controller")
_LONGEST_CONTROLLER = 250
_PATH = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")


def _refused(thing: IngressClass) -> Iterator[Finding]:
    name = thing.spec.controller
    if not name:
        yield Finding(_CONTROLLER, "is required")
        return
    if len(name) > _LONGEST_CONTROLLER:
        yield Finding(_CONTROLLER, f"Too long: may not be more than {_LONGEST_CONTROLLER} bytes")
    domain, slash, path = name.partition("/")
    if not (domain and slash and path):
        yield Finding(
            _CONTROLLER,
            f'must be a domain-prefixed path (such as "acme.io/foo"), which "{name}" is not',
        )
        return
    yield from problem(_CONTROLLER, dns_subdomain(domain))
    if not _PATH.fullmatch(path):
        yield Finding(_CONTROLLER, f'"{path}" is no valid path of a URL')


KIND = Kind(
    IngressClass,
    "networking.k8s.io/v1",
    namespaced=False,
    check=Use(fields={IngressClassSpec: irrelevant(NO_EFFECT, "parameters")}),
    placement=Use(Note("irrelevant", NOT_PLACING)),
    refused=_refused,
    immutable=(_CONTROLLER,),
)
