"""Laws that hold for any data: faults are found exactly where decoding fails, and never a crash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubelemma.model.manifests import (
    Check,
    InvalidInput,
    Manifests,
    Source,
    load,
    with_defaults,
)
from kubelemma.model.manifests.coverage import left_out
from kubelemma.model.manifests.purposes import CHECK as CHECKING
from kubelemma.model.manifests.reading import _decoded
from kubelemma.model.manifests.shapes import Reading, mismatches, shape_of, without_nulls
from kubelemma.model.objects.decode import decode
from kubelemma.model.objects.pod import Pod
from kubelemma.model.objects.workloads import Deployment

FOLDER = Path(__file__).parent / "bad_input"
WEB = yaml.safe_load((FOLDER / "web.yaml").read_text("utf-8"))
CHECK = yaml.safe_load((FOLDER / "check.yaml").read_text("utf-8"))
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from((None, True, 0, -1, 1.5, "", "a", "1", "A b", "{{ x }}", 2**70)),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=3,
)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values inside some data."""
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    return [found for key, value in items for found in ((*path, key), *places(value, (*path, key)))]


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The data with another value in one place, if that is still there."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(data, dict) and key in data:
        return {**data, key: replaced(data[key], rest, value)}
    if isinstance(data, list) and isinstance(key, int) and key < len(data):
        return [*data[:key], replaced(data[key], rest, value), *data[key + 1 :]]
    return data


@st.composite
def broken(draw: st.DrawFn, whole: Any) -> Any:
    """Some data with junk in up to three places."""
    for path in draw(st.lists(st.sampled_from(places(whole)), min_size=1, max_size=3)):
        whole = replaced(whole, path, draw(JUNK))
    return whole


def fits(raw: Any, kind: type) -> bool:
    """Whether data can be decoded."""
    try:
        decode(raw, kind)
    except msgspec.ValidationError:
        return False
    return True


@given(broken(WEB))
def test_mismatches_are_what_cannot_be_decoded(raw: Any) -> None:
    """Mismatches are found exactly where decoding fails, each in a place of its own."""
    own = without_nulls(raw, shape_of(Deployment))
    found = list(mismatches(own, shape_of(Deployment)))
    assert fits(own, Deployment) == (not found)
    assert len({finding.path for finding in found}) == len(found)


@given(broken(WEB))
def test_what_is_left_can_be_decoded(raw: Any) -> None:
    """Without what does not fit the rest is decoded, and faultless data as a whole."""
    decoded = _decoded(raw, shape_of(Deployment), Reading())
    assert isinstance(decoded.value, Deployment)
    assert bool(decoded.findings) or decoded.value == decode(
        without_nulls(raw, shape_of(Deployment)), Deployment
    )


@given(broken(WEB) | broken(CHECK))
def test_any_document_is_read_or_refused(raw: Any) -> None:
    """Whatever stands in a document, it is read, or refused with positions and in words."""
    text = yaml.safe_dump(raw, default_style='"')
    try:
        manifests = load([Source("f.yaml", text)])
    except InvalidInput as refused:
        assert refused.problems  # noqa: PT017  # most are refused, some are still faultless
        assert all(p.position.file == "f.yaml" and p.message for p in refused.problems)  # noqa: PT017
    else:
        assert isinstance(manifests, Manifests)
        assert manifests != Manifests()


@given(broken(WEB))
def test_defaults_are_given_once(raw: Any) -> None:
    """Defaulting what has its defaults changes nothing."""
    own = without_nulls(raw, shape_of(Deployment))
    if fits(own, Deployment):
        once = with_defaults(decode(own, Deployment))
        assert with_defaults(once) == once


@given(st.dictionaries(st.text(min_size=1, max_size=5), JUNK))
def test_every_unknown_field_is_listed(raw: dict[str, Any]) -> None:
    """A field that no type has and no note explains is listed wherever something is in it."""
    spec = {f"x{key}": value for key, value in raw.items()}
    listed = [field.path for field in left_out({"spec": spec}, shape_of(Pod), CHECKING.fields)]
    assert listed == [
        ("spec", key) for key, value in spec.items() if value not in (None, "", [], {})
    ]


def test_checks_are_closed() -> None:
    """In a scenario a key that its type does not have is a mismatch, at any depth."""
    raw = {"spec": {"cluster": {"nodes": [{"cuont": 3}]}}, "sepc": 1}
    found = [str(f.message) for f in mismatches(raw, shape_of(Check), Reading(closed=True))]
    assert found == [
        'unknown field (did you mean "count"?)',
        'unknown field (did you mean "spec"?)',
    ]
