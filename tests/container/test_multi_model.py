"""The five routes of a multi-model endpoint."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Reply, Server, StartServer, Trained

RECORD = "5.1,3.5,1.4,0.2"
CSV = {"Content-Type": "text/csv"}


def load(server: Server, name: str, url: Path | str) -> Reply:
    return server.request("POST", "/models", json.dumps({"model_name": name, "url": str(url)}))


@pytest.fixture
def many(start_server: StartServer, tmp_path: Path) -> Iterator[Server]:
    return start_server(tmp_path, SAGEMAKER_MULTI_MODEL="true").wait_until_ready()


def test_a_model_lives_and_dies(many: Server, trained: Trained, tmp_path: Path) -> None:
    model = trained.job.model.parent
    assert json.loads(many.request("GET", "/models").body) == {"models": []}
    described = {"modelName": "iris", "modelUrl": str(model)}
    assert json.loads(load(many, "iris", model).body) == described
    assert json.loads(many.request("GET", "/models/iris").body) == described
    assert json.loads(many.request("GET", "/models").body) == {"models": [described]}
    copy = shutil.copytree(model, tmp_path / "copy")
    assert load(many, "iris-2", copy).status == 200
    for name in ("iris", "iris-2"):
        assert many.request("POST", f"/models/{name}/invoke", RECORD, CSV).body == "setosa\n"
    assert many.request("DELETE", "/models/iris").status == 200
    assert many.request("POST", "/models/iris/invoke", RECORD, CSV).status == 404
    assert many.request("POST", "/models/iris-2/invoke", RECORD, CSV).status == 200


def test_what_cannot_be_done_is_said(many: Server, trained: Trained, tmp_path: Path) -> None:
    load(many, "iris", trained.job.model.parent)
    refusals = {
        "already loaded": load(many, "iris", trained.job.model.parent),
        "the folder is missing or empty": load(many, "other", tmp_path / "nothing"),
        "the body must be": many.request("POST", "/models", "{"),
        "without a slash": load(many, "a/b", tmp_path),
        "'rose' is not loaded": many.request("GET", "/models/rose"),
        "there is no PUT /models/iris": many.request("PUT", "/models/iris"),
        "each record needs 4 values": many.request("POST", "/models/iris/invoke", "1,2", CSV),
    }
    assert [reply.status for reply in refusals.values()] == [409, 400, 400, 400, 404, 404, 400]
    assert all(reason in reply.error for reason, reply in refusals.items())


def test_invocations_without_a_name_get_503(many: Server) -> None:
    assert many.invoke(RECORD).status == 503


def test_no_memory_gets_507(
    start_server: StartServer, tmp_path: Path, trained: Trained, light_container: Callable[[str], Path]
) -> None:
    container = light_container("\ndef load(*_):\n    raise MemoryError\n")
    server = start_server(tmp_path, container, SAGEMAKER_MULTI_MODEL="true").wait_until_ready()
    assert load(server, "iris", trained.job.model.parent).status == 507


def test_a_single_model_endpoint_has_no_models(server: Server) -> None:
    assert server.request("GET", "/models").status == 404
