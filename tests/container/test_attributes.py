"""Custom attributes around the algorithm's own predict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sagemaker_contract.attributes import AttributesScope, answer_attributes, request_attributes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import StartServer, Trained

CHOOSES = """
from sagemaker_contract.attributes import answer_attributes, request_attributes
_predict = predict
def predict(model, records):
    if request_attributes():
        answer_attributes(f"{request_attributes()} heard")
    return _predict(model, records)
"""


def test_predict_reads_and_answers_them(
    start_server: StartServer, trained: Trained, light_container: Callable[[str], Path]
) -> None:
    server = start_server(trained.job.base, light_container(CHOOSES)).wait_until_ready()
    headers = {"Content-Type": "text/csv", "X-Amzn-SageMaker-Custom-Attributes": "forest"}
    reply = server.request("POST", "/invocations", "5.1,3.5,1.4,0.2", headers)
    assert reply.headers["x-amzn-sagemaker-custom-attributes"] == "forest heard"
    assert "x-amzn-sagemaker-custom-attributes" not in server.invoke("5.1,3.5,1.4,0.2").headers


def test_outside_of_a_request_there_are_none() -> None:
    answer_attributes("nobody hears")
    assert request_attributes() == ""


@pytest.mark.parametrize("text", ["a\nSet-Cookie: b", "é", "x" * 1025])
def test_what_no_header_can_hold_is_refused(text: str) -> None:
    with AttributesScope("") as scope, pytest.raises(ValueError, match="at most 1024 visible ASCII"):
        answer_attributes(text)
    assert scope.answer == ""
