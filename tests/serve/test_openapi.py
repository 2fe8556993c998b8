"""The description says what the service does: every route, every status; and figures keep Prometheus's rules."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kittiwake.serve import openapi
from tests.serve.asking import Asker
from tests.support import promtool
from tests.support.exposition import complaints

MALFORMED = 100_000 if os.environ.get("KITTIWAKE_SOAK") == "1" else 120


def test_description_has_every_route_and_no_other(asker):
    assert {(method, path) for method, path, *_ in openapi.PATHS} == set(asker.app.routes)
    status, document = asker.json("GET", "/openapi.json")
    assert status == 200 and document["openapi"] == "3.1.0"
    schemas = document["components"]["schemas"]

    def references(value):
        if isinstance(value, dict):
            yield from [value["$ref"]] if "$ref" in value else []
            value = list(value.values())
        if isinstance(value, list):
            for each in value:
                yield from references(each)

    named = {reference.rpartition("/")[2] for reference in references(document)}
    assert named <= set(schemas) and set(schemas) - named == set()
    identities = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(identities) == len(set(identities)) == len(openapi.PATHS)


@pytest.fixture
def figures(asker):
    asker.json("POST", "/predict", {"features": [1, 2, 3, 4]})
    asker.json("POST", "/predict", {"features": [1]})
    return asker.ask("GET", "/metrics")[2]


def test_metrics_keep_prometheuss_rules(figures):
    assert len(figures) > 2000 and complaints(figures) == []


@pytest.mark.needs("promtool")
def test_metrics_please_promtool(figures):
    assert promtool.complaints(figures) == []


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_NEAR = st.fixed_dictionaries(
    {},
    optional={
        "features": _VALUES,
        "instances": _VALUES,
        "inputs": _VALUES
        | st.dictionaries(st.just("features"), _VALUES)
        | st.lists(
            st.fixed_dictionaries(
                {"name": st.just("features")},
                optional={
                    "datatype": st.sampled_from(["FP32", "INT8", ""]),
                    "shape": st.just([1, 4]) | _VALUES,
                    "data": _VALUES,
                    "parameters": _VALUES | st.dictionaries(st.just("binary_data_size"), _VALUES),
                },
            ),
            max_size=2,
        ),
        "outputs": _VALUES,
        "parameters": _VALUES,
        "id": _VALUES,
    },
)
_PATHS = st.sampled_from(
    [path.format(name="anomaly_detector", version="1") for method, path, *_ in openapi.PATHS if method == "POST"]
)


@pytest.mark.timeout(3600 if MALFORMED > 1000 else 120)
def test_malformed_requests_get_documented_answers_only(folder):
    asker = Asker(folder, default="anomaly_detector")
    bodies = _NEAR.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=64)
    documented = {
        path: openapi.document()["paths"][path]["post"]["responses"]
        for path in openapi.document()["paths"]
        if "post" in openapi.document()["paths"][path]
    }
    by_path = {path.format(name="anomaly_detector", version="1"): codes for path, codes in documented.items()}
    seen = set()

    @settings(max_examples=MALFORMED, deadline=None, database=None, derandomize=True)
    @given(_PATHS, bodies, st.none() | st.binary(max_size=4))
    def check(path, body, length):
        headers = {} if length is None else {"Inference-Header-Content-Length": length.decode("latin-1")}
        status, reply = asker.json("POST", path, body, headers)
        assert str(status) in by_path[path], (status, reply)
        assert reply.get("detail") != "internal error"
        seen.add(status)

    check()
    assert {400, 422, 404} <= seen
