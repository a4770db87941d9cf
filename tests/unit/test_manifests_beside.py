"""Services whose selector matches nobody, and ports that nobody has: told with the consequence."""

from __future__ import annotations

import pytest

from kubelemma import api
from kubelemma.model.manifests.problems import InvalidInput
from kubelemma.question import STDIN, Question

APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1", ports: [{name: http, containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: SPEC
"""
NOBODY = "the Service selects none of them, and refuses every connection unless somebody else makes"


def warned(spec: str) -> list[str]:
    """What is told of a Service beside the Deployment, without its place."""
    asked = api.ask(Question(paths=(STDIN,), stdin=APP.replace("SPEC", spec)))
    return [str(problem).partition(": ")[2] for problem in asked.warnings]


@pytest.mark.parametrize(
    "spec",
    [
        "{selector: {app: web}, ports: [{port: 80, targetPort: http}]}",
        "{selector: {app: web}, ports: [{port: 9090, targetPort: 80}]}",
        "{clusterIP: None, selector: {app: web}}",
        "{type: ExternalName, externalName: example.com}",
    ],
)
def test_nothing_to_tell(spec: str) -> None:
    """Its pods have the ports, or it is another name for a host."""
    assert warned(spec) == []


def test_a_selector_that_matches_nothing() -> None:
    """The label is named that no pod has, with the one that was meant perhaps."""
    (said,) = warned("{selector: {app: webb}, ports: [{port: 80}]}")
    assert said.startswith('spec.selector.app: no pod here has the label app: "webb" (did you mean')
    assert NOBODY in said


def test_a_port_that_no_container_has() -> None:
    """Connections to it are refused."""
    (said,) = warned("{selector: {app: web}, ports: [{port: 80, targetPort: web}]}")
    assert said == (
        "spec.ports[0].targetPort: no pod that the Service selects has a container with a port "
        'called "web": connections to port 80 are refused'
    )


@pytest.mark.parametrize(
    ("port", "field"),
    [("{port: 80, targetPort: 9090}", "targetPort"), ("{port: 9090}", "port")],
)
def test_a_port_that_no_container_lists(port: str, field: str) -> None:
    """It may listen there all the same, so this is said."""
    (said,) = warned(f"{{selector: {{app: web}}, ports: [{port}]}}")
    assert said.startswith(f"spec.ports[0].{field}: no pod that the Service selects lists port 90")
    assert said.endswith("are refused unless a container listens there all the same")


def test_who_lists_no_port_may_have_any() -> None:
    """Ports of containers are for information: nothing is told where there are none."""
    text = APP.replace(", ports: [{name: http, containerPort: 80}]", "")
    spec = "{selector: {app: web}, ports: [{port: 9090}]}"
    asked = api.ask(Question(paths=(STDIN,), stdin=text.replace("SPEC", spec)))
    assert asked.warnings == ()


SLICE = """
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: SERVICE}}
addressType: IPv4
"""
GIVEN = """
---
apiVersion: v1
kind: Endpoints
metadata: {name: web, MORE}
subsets: [{addresses: [{ip: IP}], ports: [{port: 80}]}]
"""


def given(more: str = "labels: {}", address: str = "192.0.2.1") -> str:
    """Endpoints of the Service web."""
    return GIVEN.replace("MORE", more).replace("IP", address)


@pytest.mark.parametrize("more", [SLICE.replace("SERVICE", "web"), given()])
def test_a_service_whose_endpoints_are_given(more: str) -> None:
    """As a slice, or as Endpoints, which are mirrored to one."""
    assert warned("{ports: [{port: 80}]}" + more) == []


@pytest.mark.parametrize("more", ["", SLICE.replace("SERVICE", "other")])
def test_a_service_that_nobody_gives_endpoints(more: str) -> None:
    """Without a selector no controller does."""
    (said,) = warned("{ports: [{port: 80}]}" + more)
    assert said == (
        "spec.selector: is not set, and no Endpoints or EndpointSlice here is of the Service: it "
        "refuses every connection unless somebody else writes one"
    )


SELECTING = "{selector: {app: web}, ports: [{port: 80}]}"


@pytest.mark.parametrize(
    ("spec", "more", "why"),
    [
        (
            "{ports: [{port: 80}]}",
            'labels: {endpointslice.kubernetes.io/skip-mirror: "true"}',
            "no",
        ),
        (
            "{ports: [{port: 80}]}",
            "annotations: {control-plane.alpha.kubernetes.io/leader: a}",
            "no",
        ),
        (SELECTING, "labels: {}", "kept"),
    ],
)
def test_endpoints_that_nobody_goes_by(spec: str, more: str, why: str) -> None:
    """They are not mirrored, or written over."""
    (said,) = warned(spec + given(more))
    reason = "are not kept, for the selector" if why == "kept" else "are not mirrored to Endpoint"
    assert said.startswith(f"subsets: {reason}")


@pytest.mark.parametrize("address", ["127.0.0.1", "::", "169.254.1.1", "web", "224.0.0.1"])
def test_addresses_that_are_refused(address: str) -> None:
    """Traffic could go anywhere."""
    with pytest.raises(InvalidInput, match=r"may not be|must be a valid IP address"):
        warned("{ports: [{port: 80}]}" + given(address=f'"{address}"'))


NODES = """
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: a}}
- {apiVersion: v1, kind: Node, metadata: {name: b}}
"""


@pytest.mark.parametrize("field", ["internalTrafficPolicy", "externalTrafficPolicy"])
def test_nodes_that_drop_traffic(field: str) -> None:
    """A pod on one of two nodes is of no use to the other, where traffic stays on its node."""
    spec = f"{{type: NodePort, selector: {{app: web}}, ports: [{{port: 80}}], {field}: Local}}"
    assert warned(spec) == []
    (said,) = warned(spec + NODES)
    assert said == (
        f"spec.{field}: is Local, and at most 1 of 2 nodes have a pod of the Service: the others "
        "drop what comes to them"
    )


INGRESS = """
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx}
spec: {controller: k8s.io/ingress-nginx}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: CLASS
  rules:
  - host: shop.example
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: NAME
            port: PORT
"""
THERE = "{selector: {app: web}, ports: [{name: www, port: 80, targetPort: http}]}"


def warned_of_ingress(name: str, port: str, of: str = "nginx") -> list[str]:
    """What is told of an Ingress beside the Service web."""
    more = INGRESS.replace("CLASS", of).replace("NAME", name).replace("PORT", port)
    return warned(THERE + more)


@pytest.mark.parametrize("port", ["{number: 80}", "{name: www}"])
def test_an_ingress_that_leads_somewhere(port: str) -> None:
    """Its Service has the port, by number or by name."""
    assert warned_of_ingress("web", port) == []


def test_an_ingress_to_a_missing_service() -> None:
    """Requests for the path are answered with an error."""
    (said,) = warned_of_ingress("webb", "{number: 80}")
    assert said == (
        "spec.rules[0].http.paths[0].backend.service.name: no Service here is called "
        '"webb" (did you mean "web"?): requests for shop.example/ are answered with an error (503) '
        "unless somebody else makes it"
    )


def test_an_ingress_to_a_missing_port() -> None:
    """The ports that there are are named."""
    (said,) = warned_of_ingress("web", "{number: 8080}")
    assert said == (
        "spec.rules[0].http.paths[0].backend.service.port: the Service web has no port 8080, but "
        "www (80): requests for shop.example/ are answered with an error (503)"
    )


@pytest.mark.parametrize("of", ["ngnix", "null"])
def test_an_ingress_that_nobody_serves(of: str) -> None:
    """Its class is none of those that are given, or it has none and none is the default."""
    (said,) = warned_of_ingress("web", "{number: 80}", of)
    assert said.startswith("spec.ingressClassName: ")
    assert "no controller serves the Ingress unless" in said


POLICY = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shut}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress], ingress: RULES}
"""
_OTHER = "{port: 443}, {port: 80, protocol: UDP}"
_INSIDE = "from: [{podSelector: {}}]"


@pytest.mark.parametrize(
    ("rules", "shut_out", "inside"),
    [
        ("[]", True, False),
        (f"[{{ports: [{_OTHER}]}}]", True, False),
        ("[{}]", False, False),
        ("[{ports: [{port: http}]}]", False, False),
        ("[{ports: [{port: 79, endPort: 81}]}]", False, False),
        (f"[{{{_INSIDE}}}]", False, True),
        (f"[{{{_INSIDE}, ports: [{{protocol: TCP}}]}}]", False, True),
        (f"[{{{_INSIDE}}}, {{from: [{{namespaceSelector: {{}}}}]}}]", False, False),
        ("[{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]", False, False),
    ],
)
def test_policies_that_shut_out(rules: str, *, shut_out: bool, inside: bool) -> None:
    """A port that nobody is let in to is told of the Service; what an Ingress misses, of it."""
    said = warned_of_ingress("web", "{number: 80}\n" + POLICY.replace("RULES", rules))
    assert any("connections to port 80 are dropped" in each for each in said) == shut_out
    assert any("unless the controller runs in it" in each for each in said) == inside
    assert len(said) == shut_out + inside


def test_an_external_name_has_no_pods() -> None:
    """Its selector is ignored."""
    (said,) = warned("{type: ExternalName, externalName: example.org, selector: {app: web}}")
    assert said == "spec.selector: is ignored: an ExternalName service has no endpoints"
