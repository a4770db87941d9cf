"""Events of a Check about what a cluster loses for good: claims and volumes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from kubelemma.model.components.volumeprotection.decision import ClaimName
from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.kinds.parts.metadata import DEFAULT_NAMESPACE
from kubelemma.model.kinds.parts.names import dns_label, dns_subdomain
from kubelemma.model.kinds.parts.rules import problem
from kubelemma.model.objects.meta import ApiStruct


class DeleteClaim(ApiStruct, frozen=True, kw_only=True):
    """Somebody deletes a claim: the named one, or any of those that pods use."""

    name: str = ""
    namespace: str = DEFAULT_NAMESPACE
    max: int = 1

    @property
    def options(self) -> ClaimName | None:
        """Which one."""
        return ClaimName(self.namespace, self.name) if self.name else None


class DeleteVolume(ApiStruct, frozen=True, kw_only=True):
    """Somebody deletes a volume: the named one, or any of those that pods use."""

    name: str = ""
    max: int = 1

    @property
    def options(self) -> str | None:
        """Which one."""
        return self.name or None


Loss: TypeAlias = DeleteClaim | DeleteVolume


def loss_findings(event: Loss, path: FieldPath) -> Iterator[Finding]:
    """What is wrong with the names in such an event."""
    if event.name:
        yield from problem((*path, "name"), dns_subdomain(event.name))
    if not isinstance(event, DeleteVolume):
        yield from problem((*path, "namespace"), dns_label(event.namespace))
