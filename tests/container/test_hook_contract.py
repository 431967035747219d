"""The contract of sagemaker-inference in detail: what each function is given, and what is made of its result."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sagemaker_contract.errors import ConfigurationError
from sagemaker_contract.serving.hook_functions import find_hooks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Server, StartServer

# It answers with what it was given, so that one server shows the whole contract.
ECHO = """
import json

seen = []

def pre_model_fn(model_dir):
    seen.append("pre_model_fn")

def model_fn(model_dir, context):
    seen.append("model_fn " + str(context.system_properties["model_dir"] == model_dir))
    return "model"

def model_warmup_fn(model_dir, model):
    seen.append("model_warmup_fn " + model)

def transform_fn(model, data, content_type, accept, context):
    if data == "status":
        context.set_response_status(418, "teapot")
        context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", "from the context")
        return "short", "text/x-short"
    if data == "number":
        return {"a": 1}
    if data == "raised":
        raise Refused()
    if data == "line break":
        return "", "text/plain\\r\\nX-Other: 1"
    given = [type(data).__name__, content_type, accept, context.get_request_header(0, "X-Mine"), seen]
    return json.dumps(given)

class Refused(Exception):
    status_code, message, phrase = 422, "cannot be processed", "Unprocessable"
"""
ASYNCHRONOUS = """
import asyncio

async def model_fn(model_dir):
    return asyncio.get_running_loop()

async def input_fn(data, content_type):
    await asyncio.sleep(0)
    return data

def predict_fn(data, model):
    return [data, data]

async def output_fn(prediction, accept, context):
    same = asyncio.get_running_loop() is context_model[0]
    return f"{prediction} {same}"

context_model = []

def model_warmup_fn(model_dir, model):
    context_model.append(model)
"""
NUMBERS = """
import numpy as np

def model_fn(model_dir):
    return 7

def predict_fn(data, model):
    return {"one": [np.float32(1.5), np.int64(2)], "two": np.ones((2, 2)), "six": {"a": np.float64(0.5)}}[
        {1: "one", 2: "two", 6: "six"}[int(data[0, 0])]
    ]
"""


@pytest.fixture
def serve(start_server: StartServer, light_container: Callable[[str], Path], tmp_path: Path) -> Callable[..., Server]:
    """Start a server of functions."""

    def start(code: str, **settings: str) -> Server:
        container = light_container("")
        (container / "algorithm.py").write_text(code)
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "file").touch()
        return start_server(tmp_path, container, **settings)

    return start


def test_functions_are_given_what_the_toolkit_gives(serve: Callable[..., Server]) -> None:
    server = serve(ECHO, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/x-default").wait_until_ready()
    loaded = ["pre_model_fn", "model_fn True", "model_warmup_fn model"]

    def given(content_type: str | None, accept: str | None) -> tuple[str, list[object]]:
        headers = {"Content-Type": content_type, "Accept": accept, "x-mine": "7"}
        sent = {name: value for name, value in headers.items() if value is not None}
        reply = server.request("POST", "/invocations", b"1,2", sent)
        return reply.headers["content-type"], json.loads(reply.body)

    assert given("text/csv", "*/*") == ("text/x-default", ["str", "text/csv", "text/x-default", "7", loaded])
    assert given("application/json", "") == (
        "text/x-default",
        ["str", "application/json", "text/x-default", "7", loaded],
    )
    # Only the bare types are text.
    assert given("text/csv; charset=utf-8", "a/b")[1][:3] == ["bytes", "text/csv; charset=utf-8", "a/b"]
    assert given(None, None)[1][:2] == ["bytes", None]


def test_result_and_context_make_the_response(serve: Callable[..., Server]) -> None:
    server = serve(ECHO).wait_until_ready()
    short = server.invoke("status")
    assert (short.status, short.body, short.headers["content-type"]) == (418, "short", "text/x-short")
    assert short.headers["x-amzn-sagemaker-custom-attributes"] == "from the context"
    # The context is that of one request.
    number = server.invoke("number")
    assert (number.status, json.loads(number.body), number.headers["content-type"]) == (
        200,
        {"a": 1},
        "application/json",
    )
    raised = server.invoke("raised")
    assert (raised.status, raised.error) == (422, "cannot be processed")
    assert server.invoke("line break").status == 500
    assert (server.invoke(b"\xff").status, server.invoke(b"\xff").error) == (
        400,
        "the body is not UTF-8 text (byte 0)",
    )
    assert server.invoke("1", accept="text/\xe9").status == 400


def test_asynchronous_functions_share_a_loop(serve: Callable[..., Server]) -> None:
    server = serve(ASYNCHRONOUS).wait_until_ready()
    assert [server.invoke("x").body for _ in range(2)] == ["['x', 'x'] True"] * 2


def test_numpy_values_are_written_in_every_type(serve: Callable[..., Server]) -> None:
    server = serve(NUMBERS).wait_until_ready()
    assert json.loads(server.invoke("1", accept="application/json").body) == [1.5, 2]
    assert server.invoke("1", accept="text/csv").body == "1.5\n2\n"
    assert server.invoke("1", accept="application/jsonlines").body == "1.5\n2\n"
    array = server.invoke("2", accept="application/x-npy").body.encode("utf-8", "surrogateescape")
    assert (np.load(io.BytesIO(array)) == np.ones((2, 2))).all()
    assert json.loads(server.invoke("2").body) == [[1.0, 1.0], [1.0, 1.0]]
    assert json.loads(server.invoke("6").body) == {"a": 0.5}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def predict_fn(data): pass", "predict_fn(data) must take (data, model) or (data, model, context)"),
        (
            "def input_fn(data, kind, context, more): pass",
            "input_fn(data, kind, context, more) must take (input_data, content_type) or "
            "(input_data, content_type, context)",
        ),
        (
            "def output_fn(prediction, *, accept): pass",
            "output_fn(prediction, *, accept) must take its arguments by position: (prediction, accept) or "
            "(prediction, accept, context)",
        ),
        ("model_fn = 3", "model_fn must be a function that takes (model_dir) or (model_dir, context), not 3"),
        (
            "def transform_fn(model, data, kind, accept): pass\ndef predict_fn(data, model): pass",
            "transform_fn replaces input_fn, predict_fn and output_fn; remove predict_fn",
        ),
        (
            "def output_fn(prediction, accept):\n    yield prediction",
            "output_fn yields its result in parts, but is called for the whole result; return it",
        ),
    ],
)
def test_functions_that_cannot_be_called_are_refused_by_name(code: str, reason: str) -> None:
    functions: dict[str, object] = {}
    exec(code, functions)
    with pytest.raises(ConfigurationError) as caught:
        find_hooks(SimpleNamespace(**functions))
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def predict_fn(data): pass", "predict_fn(data) must take (data, model) or (data, model, context)"),
        (
            "def predict_fn(data, model): pass",
            "model_fn (or load) is missing: there is no function that loads the model",
        ),
        ("def model_fn(model_dir): return 3", "predict_fn is missing, and the model (int) has no method predict"),
    ],
)
def test_what_cannot_work_ends_the_server_at_its_start(serve: Callable[..., Server], code: str, reason: str) -> None:
    server = serve(code)
    assert server.wait() == 1
    assert server.messages[-1] == reason


def test_several_models_are_refused_by_name(serve: Callable[..., Server]) -> None:
    server = serve("def model_fn(model_dir): return 3", SAGEMAKER_MULTI_MODEL="true")
    assert server.wait() == 1
    assert server.messages[-1].startswith("SAGEMAKER_MULTI_MODEL is true, but the code has model_fn: ")


def test_default_accept_is_any_type_only_for_functions_that_write_the_response(serve: Callable[..., Server]) -> None:
    server = serve(NUMBERS, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/x-default")
    assert server.wait() == 1
    assert server.messages[-1].startswith("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT must be one of text/csv, ")
