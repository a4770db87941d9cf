"""Ingresses and their classes.

Source: staging/src/k8s.io/api/networking/v1/types.go.
"""

from __future__ import annotations

from .meta import ApiObject, ApiStruct


class ServiceBackendPort(ApiStruct, frozen=True, kw_only=True):
    """A port of a Service, by its name or its number."""

    name: str = ""
    number: int = 0


class IngressServiceBackend(ApiStruct, frozen=True, kw_only=True):
    """A port of a Service of the same namespace."""

    name: str = ""
    port: ServiceBackendPort = ServiceBackendPort()


class TypedLocalObjectReference(ApiStruct, frozen=True, kw_only=True):
    """An object of the same namespace that requests are handed to, as a controller knows how."""

    api_group: str | None = None
    kind: str = ""
    name: str = ""


class IngressBackend(ApiStruct, frozen=True, kw_only=True):
    """Where requests go: to a Service, or to a resource of the controller's own."""

    service: IngressServiceBackend | None = None
    resource: TypedLocalObjectReference | None = None


class HTTPIngressPath(ApiStruct, frozen=True, kw_only=True):
    """Which paths go to a backend."""

    path: str = ""
    path_type: str | None = None
    backend: IngressBackend | None = None


class HTTPIngressRuleValue(ApiStruct, frozen=True, kw_only=True):
    """The paths of a host."""

    paths: tuple[HTTPIngressPath, ...] | None = None


class IngressRule(ApiStruct, frozen=True, kw_only=True):
    """A host, any where it is empty, and its paths."""

    host: str = ""
    http: HTTPIngressRuleValue | None = None


class IngressTLS(ApiStruct, frozen=True, kw_only=True):
    """Hosts, and the Secret with their certificate."""

    hosts: tuple[str, ...] | None = None
    secret_name: str = ""


class IngressSpec(ApiStruct, frozen=True, kw_only=True):
    """Which requests go to which Services."""

    ingress_class_name: str | None = None
    default_backend: IngressBackend | None = None
    rules: tuple[IngressRule, ...] | None = None
    tls: tuple[IngressTLS, ...] | None = None


class Ingress(ApiObject, frozen=True, kw_only=True):
    """An Ingress."""

    spec: IngressSpec = IngressSpec()


class IngressClassSpec(ApiStruct, frozen=True, kw_only=True):
    """Who serves the Ingresses of a class."""

    controller: str = ""


class IngressClass(ApiObject, frozen=True, kw_only=True):
    """A class of Ingresses."""

    spec: IngressClassSpec = IngressClassSpec()
