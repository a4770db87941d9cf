"""Events of objects that a Check names, and of the registry; and what containers find missing."""

from __future__ import annotations

from collections.abc import Iterator

from kubelemma.model.components.kubelet.decision import CONFIG_MAP, SECRET, Source
from kubelemma.model.components.serviceaccount.decision import DEFAULT, Account
from kubelemma.model.findings import FieldPath, Finding
from kubelemma.model.kinds.parts.metadata import DEFAULT_NAMESPACE
from kubelemma.model.kinds.parts.names import dns_label, dns_subdomain
from kubelemma.model.kinds.parts.rules import labels, problem
from kubelemma.model.objects.meta import ApiStruct


class OfObject(ApiStruct, frozen=True, kw_only=True):
    """An event of one object."""

    name: str = ""
    namespace: str = DEFAULT_NAMESPACE
    max: int = 1


class DeleteServiceAccount(OfObject, frozen=True, kw_only=True):
    """Somebody deletes a ServiceAccount, that of pods that name none if nothing else is said."""

    name: str = DEFAULT

    @property
    def options(self) -> Account:
        """Which one."""
        return Account(self.namespace, self.name)


class DeleteConfigMap(OfObject, frozen=True, kw_only=True):
    """Somebody deletes a ConfigMap."""

    @property
    def options(self) -> Source:
        """Which one."""
        return Source(CONFIG_MAP, self.namespace, self.name)


class CreateConfigMap(DeleteConfigMap, frozen=True, kw_only=True):
    """Somebody creates a ConfigMap, with all keys that pods ask for where none was given."""


class DeleteSecret(OfObject, frozen=True, kw_only=True):
    """Somebody deletes a Secret."""

    @property
    def options(self) -> Source:
        """Which one."""
        return Source(SECRET, self.namespace, self.name)


class CreateSecret(DeleteSecret, frozen=True, kw_only=True):
    """Somebody creates a Secret, with all keys that pods ask for where none was given."""


class RegistryOutage(ApiStruct, frozen=True, kw_only=True):
    """The registry of all images cannot be reached."""

    max: int = 1


class RegistryReturn(ApiStruct, frozen=True, kw_only=True):
    """It can be reached again."""

    max: int = 1


class InitWaiting(ApiStruct, frozen=True, kw_only=True):
    """That init containers of a name run until a pod answers for a Service.

    ``service`` is NAME, in the namespace of the pod, or NAMESPACE/NAME.
    """

    container: str
    service: str


def init_wait(waiting: InitWaiting, path: FieldPath) -> Iterator[Finding]:
    """What is wrong with how an init container and its Service are named."""
    yield from problem((*path, "container"), dns_label(waiting.container))
    *namespace, name = waiting.service.split("/")
    if len(namespace) > 1:
        message = f'"{waiting.service}" is neither NAME nor NAMESPACE/NAME'
        yield Finding((*path, "service"), message)
        return
    problems = (dns_label(name), *map(dns_label, namespace))
    yield from problem((*path, "service"), next(filter(None, problems), None))


def named_object(event: OfObject, path: FieldPath) -> Iterator[Finding]:
    """What is wrong with how an event names its object."""
    yield from problem((*path, "name"), dns_subdomain(event.name) if event.name else "is required")
    yield from problem((*path, "namespace"), dns_label(event.namespace))


_SOURCES = {kind.lower(): kind for kind in (CONFIG_MAP, SECRET)}


def source_of(text: str) -> Source:
    """The object that is meant by KIND/NAME or KIND/NAMESPACE/NAME."""
    kind, *namespace, name = text.split("/")
    return Source(_SOURCES[kind.lower()], namespace[0] if namespace else DEFAULT_NAMESPACE, name)


def source_problem(text: str) -> str | None:
    """Why a text means no such object; None where it does."""
    kind, *rest = text.split("/")
    if kind.lower() not in _SOURCES:
        return f'"{text}" is neither {" nor ".join(f"{k}/NAME" for k in _SOURCES.values())}'
    if len(rest) not in (1, 2):
        return f'"{text}" is not KIND/NAME or KIND/NAMESPACE/NAME'
    problems = (dns_subdomain(rest[-1]), *map(dns_label, rest[:-1]))
    return next(filter(None, problems), None)


def label_change(text: str, path: FieldPath) -> Iterator[Finding]:
    """What is wrong with how a label is said to be set, or taken away."""
    key, equals, value = text.partition("=")
    if not equals and not text.endswith("-"):
        yield Finding(path, f'"{text}" is neither KEY=VALUE nor KEY-')
        return
    key = key if equals else text.removesuffix("-")
    for _, message in labels({key: value}, ()):
        yield Finding(path, message)
