"""What a pipeline has stored may have been changed by hand: the message names the object and what to do."""

from __future__ import annotations

import pytest

from mlops_constructs.deployed.documents import json_object
from mlops_constructs.deployed.endpoints import predict
from mlops_constructs.errors import MlopsError

PLACE = "s3://artifacts/releases/iris/3.json"


class Endpoint:
    """An endpoint that returns the same body to every request."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def read(self) -> bytes:
        return self.body

    def invoke_endpoint(self, **_: object) -> dict[str, object]:
        return {"Body": self, "ContentType": "text/csv", "InvokedProductionVariant": "primary"}


def test_a_document_is_what_it_was() -> None:
    assert json_object(b'{"release": 3}', PLACE, "the record of a release") == {"release": 3}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'"text"'])
def test_another_document_is_named_with_what_to_do(body: bytes) -> None:
    with pytest.raises(MlopsError, match="is not the record of a release") as caught:
        json_object(body, PLACE, "the record of a release")
    assert str(caught.value).startswith(f"{PLACE} is not the record of a release: ")
    assert str(caught.value).endswith("; restore its last good version")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"error": "no"}', "the endpoint iris returned no predictions that can be read"),
        (b"{", "the endpoint iris returned no predictions that can be read"),
        (b"\xff\xfe", "the endpoint iris returned no predictions that can be read"),
        (b"1\n2\n", "the endpoint iris returned 2 predictions for 1 rows"),
    ],
)
def test_a_response_without_the_predictions_names_the_endpoint(body: bytes, told: str) -> None:
    with pytest.raises(MlopsError, match=told):
        predict(lambda _: Endpoint(body), "iris", [[1]])


def test_a_response_with_the_predictions_is_read() -> None:
    assert predict(lambda _: Endpoint(b"a\n"), "iris", [[1]]) == ["a"]
