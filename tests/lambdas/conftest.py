"""What the tests of the Lambda functions share: sample events, scripted AWS answers, and what was reported."""

from __future__ import annotations

import json
import re
from collections import defaultdict, deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import boto3
import pytest
from botocore import loaders
from moto import mock_aws
from moto.moto_api._internal.models import moto_api_backend

from handler_kit import clients, logs
from handler_kit.documents import DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.model import Shape

# Each file has a session of its own, which would read the large service models from disk again.
_LOADER = loaders.create_loader()
_make_client = boto3.client
_clients: dict[str, Any] = {}

EVENTS = Path(__file__).parent / "events"
REPORTS = {"PutJobSuccessResult": "success", "PutJobFailureResult": "failure"}


def load_event(name: str, *, params: dict[str, Any] | None = None, token: str | None = None) -> dict[str, Any]:
    """A sample event, with some UserParameters replaced and perhaps a continuation token."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    if "CodePipeline.job" in event:
        data = event["CodePipeline.job"]["data"]
        configuration = data["actionConfiguration"]["configuration"]
        configuration["UserParameters"] = json.dumps(json.loads(configuration["UserParameters"]) | (params or {}))
        if token is not None:
            data["continuationToken"] = token
    return event


def violations(shape: Shape, value: Any, place: str = "") -> list[str]:
    """How a request breaks the service's own model: lengths, patterns, enums (botocore leaves them unchecked)."""
    found = []
    if shape.type_name == "structure":
        for name, inner in value.items():
            found += violations(shape.members[name], inner, f"{place}.{name}")
    elif shape.type_name == "list":
        for inner in value:
            found += violations(shape.member, inner, f"{place}[]")
    elif shape.type_name == "map":
        for key, inner in value.items():
            found += violations(shape.key, key, f"{place} key") + violations(shape.value, inner, f"{place}.{key}")
    if shape.type_name in {"string", "list", "map"}:
        found += _string_violations(shape.metadata, value, place)
    return found


def _string_violations(rules: dict[str, Any], value: Any, place: str) -> list[str]:
    found = []
    if not rules.get("min", 0) <= len(value) <= rules.get("max", len(value)):
        found.append(f"{place}: length {len(value)}")
    if isinstance(value, str):
        pattern = rules.get("pattern", "")
        # Python knows no \p classes; those patterns are left out.
        if pattern and "\\p" not in pattern and not re.fullmatch(pattern, value):
            found.append(f"{place}: {value!r} does not match {pattern}")
        if rules.get("enum") and value not in rules["enum"]:
            found.append(f"{place}: {value!r} is not in the enum")
    return found


def kept_client(service: str, **options: Any) -> Any:
    """Make each client once: to make one takes longer than most tests. No test changes what it is made of."""
    key = json.dumps([service, options], sort_keys=True, default=repr)
    if key not in _clients:
        _clients[key] = _make_client(service, **options)
    return _clients[key]


class Script:
    """Answers to the calls of one client, in order, per operation; every request is recorded and checked.

    Operations without a scripted answer go on to moto. A script ends with its test.
    """

    open: ClassVar[list[Script]] = []

    def __init__(self, service: str) -> None:
        self._service, self.client = service, clients.client(service)
        self.requests: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._answers: dict[str, deque[tuple[int, dict[str, Any]]]] = defaultdict(deque)
        self._rest: dict[str, tuple[int, dict[str, Any]]] = {}
        events = self.client.meta.events
        events.register_last(f"provide-client-params.{service}", self._record)
        events.register_first(f"before-call.{service}", self._answer)
        self.open.append(self)

    def close(self) -> None:
        """Leave the client as it was."""
        events = self.client.meta.events
        events.unregister(f"provide-client-params.{self._service}", self._record)
        events.unregister(f"before-call.{self._service}", self._answer)

    def answer(self, operation: str, **response: Any) -> Script:
        self._answers[operation].append((200, response))
        return self

    def refuse(self, operation: str, code: str, message: str = "No.") -> Script:
        self._answers[operation].append((400, {"Error": {"Code": code, "Message": message}}))
        return self

    def refuse_rest(self, operation: str, code: str, message: str = "No.") -> Script:
        """Refuse every call after those that are scripted."""
        self._rest[operation] = (400, {"Error": {"Code": code, "Message": message}})
        return self

    def operations(self) -> list[str]:
        return [name for name, requests in self.requests.items() for _ in requests]

    def _record(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        assert violations(model.input_shape, params, model.name) == []
        self.requests[model.name].append(params)

    def _answer(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]] | None:
        if self._answers[model.name]:
            status, parsed = self._answers[model.name].popleft()
        elif model.name in self._rest:
            status, parsed = self._rest[model.name]
        else:
            return None
        return type("Response", (), {"status_code": status})(), {"ResponseMetadata": {}, **parsed}


class Reports(Script):
    """CodePipeline, which takes every report and whose executions go on, unless told otherwise."""

    def __init__(self) -> None:
        super().__init__("codepipeline")
        self._rest["GetPipelineExecution"] = (200, {"pipelineExecution": {"status": "InProgress"}})

    def _answer(self, model: Any, **context: Any) -> tuple[Any, dict[str, Any]] | None:
        answer = super()._answer(model, **context)
        if answer is None and model.name in REPORTS:
            return type("Response", (), {"status_code": 200})(), {"ResponseMetadata": {}}
        return answer

    @property
    def all(self) -> list[tuple[str, dict[str, Any]]]:
        """Each report as ("success" or "failure", request)."""
        return [(REPORTS[name], request) for name in REPORTS for request in self.requests[name]]

    def only(self, kind: str) -> dict[str, Any]:
        """The one report, which must be of this kind."""
        assert [name for name, _ in self.all] == [kind], self.all
        return self.all[0][1]

    @property
    def outputs(self) -> dict[str, str]:
        return self.only("success")["outputVariables"]

    @property
    def token(self) -> str:
        return self.only("success")["continuationToken"]

    @property
    def message(self) -> str:
        return self.only("failure")["failureDetails"]["message"]

    @property
    def kind(self) -> str:
        return self.only("failure")["failureDetails"]["type"]


@pytest.fixture(scope="module", autouse=True)
def _aws() -> Iterator[None]:
    """moto, for all tests of a file: to begin takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch, mock_aws(config={"core": {"mock_credentials": False}}):
        patch.setattr("botocore.session.create_loader", lambda search_path_string=None: _LOADER)
        boto3.setup_default_session()
        patch.setattr("boto3.client", kept_client)
        yield
    boto3.DEFAULT_SESSION = None


@pytest.fixture(autouse=True)
def _function_environment(_aws: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What Lambda gives a function, an empty account, and nothing left over from another test."""
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAFUNCTIONROLEKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "functionRoleSecret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "functionRoleSession")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    clients.client.cache_clear()
    logs.hide()
    yield
    while Script.open:
        Script.open.pop().close()
    moto_api_backend.reset()
    clients.client.cache_clear()
    logs.hide()


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def script() -> Callable[[str], Script]:
    return Script


@pytest.fixture(name="load_event")
def load_event_fixture() -> Callable[..., dict[str, Any]]:
    return load_event


@pytest.fixture
def write_document(tmp_path: Path) -> Callable[[object], None]:
    """Put a document into the folder that the function runs from."""

    def write(document: object) -> None:
        (tmp_path / DOCUMENT).write_text(json.dumps(document))

    return write


@pytest.fixture
def set_env(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set environment variables by the names of the settings' fields."""

    def set_all(settings: dict[str, str]) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(name.upper(), value)

    return set_all
