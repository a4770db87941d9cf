"""Events of a Check that befall the network of the cluster."""

from __future__ import annotations

from kubelemma.model.objects.meta import ApiStruct


class ReuseAddress(ApiStruct, frozen=True, kw_only=True):
    """The network gives the address of a deleted pod that has stopped to another one."""

    max: int = 1


class ZoneSplit(ApiStruct, frozen=True, kw_only=True):
    """The network between zones breaks; all nodes reach the API server still."""

    max: int = 1
