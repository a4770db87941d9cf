"""What names and labels may look like.

Source: staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go. Every function gives
what is wrong in plain words, or None where nothing is.
"""

from __future__ import annotations

import re
from unicodedata import combining, normalize

from kubelemma.model.findings import template_hint

_PORT_NAME = re.compile(r"(?=.*[a-z])(?=.{1,15}$)[a-z0-9](?:-?[a-z0-9])*")
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LONGEST_LABEL = 63
_LONGEST_SUBDOMAIN = 253


def dns_label(value: str) -> str | None:
    """A name without dots: of a Namespace, of a container."""
    if _DNS_LABEL.fullmatch(value):
        return _too_long(value, _LONGEST_LABEL)
    hint = _name_hint(value, _DNS_LABEL)
    return f'"{value}" is no valid name: only lower-case letters, digits and "-"{hint}'


def dns_service(value: str) -> str | None:
    """The name of a Service, which is a DNS label that begins with a letter (RFC 1035)."""
    if value[:1].isdigit() and _DNS_LABEL.fullmatch(value):
        return f'"{value}" is no valid name of a Service: it begins with a letter'
    return dns_label(value)


def dns_subdomain(value: str) -> str | None:
    """A name that may hold dots: of a Deployment, a Pod, a Node."""
    if _DNS_SUBDOMAIN.fullmatch(value):
        return _too_long(value, _LONGEST_SUBDOMAIN)
    hint = _name_hint(value, _DNS_SUBDOMAIN)
    return f'"{value}" is no valid name: only lower-case letters, digits, "-" and "."{hint}'


def port_name(value: str) -> str | None:
    """The name of a port of a container, by which a Service may refer to it."""
    if _PORT_NAME.fullmatch(value):
        return None
    return (
        f'"{value}" is no valid name of a port: at most 15 lower-case letters, digits and '
        'single "-", with a letter among them'
    )


def label_key(value: str) -> str | None:
    """A label's key: a name, after a domain and a slash if need be."""
    prefix, slash, name = value.rpartition("/")
    if not _LABEL.fullmatch(name):
        return (
            f'"{value}" is no valid label key: only letters, digits, "-", "_" and ".", after a '
            f'domain and "/" if need be{template_hint(value)}'
        )
    if slash and not _DNS_SUBDOMAIN.fullmatch(prefix):
        return f'"{value}" is no valid label key: "{prefix}" before the "/" is no domain'
    return _too_long(name, _LONGEST_LABEL) or _too_long(prefix, _LONGEST_SUBDOMAIN)


def label_value(value: str) -> str | None:
    """A label's value, which may be empty."""
    if value and not _LABEL.fullmatch(value):
        return (
            f'"{value}" is no valid label value: only letters, digits, "-", "_" and ".", '
            f"beginning and ending with a letter or digit{template_hint(value)}"
        )
    return _too_long(value, _LONGEST_LABEL)


def _too_long(value: str, longest: int) -> str | None:
    if len(value) <= longest:
        return None
    return f'"{value[:20]}..." has {len(value)} characters, {longest} are allowed'


def _name_hint(value: str, valid: re.Pattern[str]) -> str:
    if "{{" in value:
        return template_hint(value)
    plain = "".join(c for c in normalize("NFKD", value.lower()) if not combining(c))
    dotted = re.sub(r"[^a-z0-9.-]+", "-", plain).strip("-.")
    likely = dotted if valid.fullmatch(dotted) else dotted.replace(".", "-")
    return f' (did you mean "{likely}"?)' if valid.fullmatch(likely) else ""
