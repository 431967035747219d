"""Code written for sagemaker-inference: its functions, alone and together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Server, StartServer

ALL_FOUR = """
import json

def model_fn(model_dir):
    return float(open(f"{model_dir}/factor").read())

def input_fn(input_data, content_type):
    if content_type != "application/x-words":
        raise ValueError(f"no {content_type}")
    return input_data.decode().split()

def predict_fn(data, model):
    if data == ["broken"]:
        raise RuntimeError("inner life")
    return [len(word) * model for word in data]

def output_fn(prediction, accept):
    return json.dumps(prediction), "application/x-lengths"
"""
MODEL_ONLY = """
import numpy as np

class Model:
    def predict(self, records):
        return records.sum(axis=1)

def model_fn(model_dir):
    return Model()
"""
ATTRIBUTES = """
from sagemaker_contract.attributes import answer_attributes, request_attributes

def predict_fn(data, model):
    answer_attributes("seen " + request_attributes())
    return model.predict(data)
"""


@pytest.fixture
def serve_hooks(
    start_server: StartServer, light_container: Callable[[str], Path], tmp_path: Path
) -> Callable[..., Server]:
    """Start a server whose hooks stand in algorithm.py, or in a file of their own."""

    def start(code: str, program: str = "algorithm.py", **settings: str) -> Server:
        container = light_container("")
        (container / program).write_text(code)
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "factor").write_text("10")
        if program != "algorithm.py":
            settings["SAGEMAKER_PROGRAM"] = program
        return start_server(tmp_path, container, **settings)

    return start


def test_all_four_are_called(serve_hooks: Callable[..., Server]) -> None:
    server = serve_hooks(ALL_FOUR).wait_until_ready()
    reply = server.invoke("one three", "application/x-words")
    assert (reply.status, json.loads(reply.body)) == (200, [30.0, 50.0])
    assert reply.headers["content-type"] == "application/x-lengths"
    refused = server.invoke("1,2", "text/csv")
    assert (refused.status, refused.error) == (400, "the body cannot be read: no text/csv")
    failed = server.invoke("broken", "application/x-words")
    assert (failed.status, "inner life" in failed.body) == (500, False)


def test_program_of_its_own_with_model_fn_alone(serve_hooks: Callable[..., Server]) -> None:
    server = serve_hooks(MODEL_ONLY, "inference.py").wait_until_ready()
    assert json.loads(server.invoke("1,2\n3,4").body) == {"predictions": [3.0, 7.0]}
    assert server.invoke("1,2\n3,4", accept="text/csv").body == "3.0\n7.0\n"
    assert server.invoke("1,2", "image/png").status == 415
    assert server.invoke("1,x").status == 400


def test_custom_attributes_come_in_and_go_out(serve_hooks: Callable[..., Server]) -> None:
    server = serve_hooks(MODEL_ONLY + ATTRIBUTES).wait_until_ready()
    headers = {"Content-Type": "text/csv", "X-Amzn-SageMaker-Custom-Attributes": "trace=7"}
    reply = server.request("POST", "/invocations", "1,2", headers)
    assert reply.headers["x-amzn-sagemaker-custom-attributes"] == "seen trace=7"


def test_missing_program_is_named(start_server: StartServer, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "factor").write_text("10")
    server = start_server(tmp_path, SAGEMAKER_PROGRAM="missing.py")
    assert server.wait() == 1
    assert server.messages[-1] == "SAGEMAKER_PROGRAM is missing.py, but there is no such file beside serve"
