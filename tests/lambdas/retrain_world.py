"""A pipeline, its buckets and the clock, in memory; each call may be the last of its process, or be overtaken."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from botocore.response import StreamingBody
from lambdas.conftest import violations
from retrain.alarm import read_alarm
from retrain.retrain import Services, retrain
from retrain.settings import Document, Settings

from handler_kit import clients, logs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIPELINE, DATA, ARTIFACTS = "iris-1a2b3c", "data", "artifacts"
TOPIC = "arn:aws:sns:us-east-1:123456789012:iris-1a2b3c-approvals"
FUNCTION = "iris-1a2b3c-retrain"
SETTINGS = Settings(PIPELINE, DATA, ARTIFACTS, TOPIC)
HOUR, DAY = 3600.0, 86_400.0
# 2026-11-27 15:00 UTC
START = 1_795_791_600.0
# AWS does not say how long a request token counts; longer than a function lives.
TOKEN_SECONDS = 1200.0
BEFORE, AFTER, OVERTAKEN = "killed before", "killed after", "overtaken"


def document(**given: Any) -> Document:
    """What the function knows, unless something else is given."""
    usual: dict[str, Any] = {
        "reasons": ["drift", "quality"],
        "min_new_datasets": 1,
        "cooldown_in_hours": 24.0,
        "max_executions_per_month": 3,
        "action": "Dataset",
        "prefix": "datasets/",
        "suffix": "",
        "start_on_upload": False,
        "ab_test": False,
    }
    return Document(**{**usual, **given})


class Killed(BaseException):
    """The process has ended without doing anything more."""


@dataclass
class Trouble:
    """What happens at the n-th call of an invocation: its process ends before or after it, or others are faster."""

    mode: str
    nth: int
    others: Callable[[], object] | None = None


@dataclass
class Execution:
    """An execution of the pipeline."""

    id: str
    version_id: str
    started: float
    starter: str
    newest_release: int
    # That when the function that started it was invoked.
    seen_release: int = 0
    status: str = "InProgress"
    # A queued execution has no source revision yet.
    has_revision: bool = True
    others_alive: tuple[str, ...] = ()
    older_than_taken: bool = False

    @property
    def mine(self) -> bool:
        return self.starter.endswith(f"/{FUNCTION}")


@dataclass
class Process:
    """One invocation that makes calls."""

    trouble: Trouble | None
    began: int
    release: int
    calls: int = 0
    dead: bool = False


@dataclass
class World:
    """It, from ``open`` to ``close``."""

    document: Document = field(default_factory=document)
    now: float = START
    versions: list[dict[str, Any]] = field(default_factory=list)
    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, tuple[float, str]] = field(default_factory=dict)
    delivered: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    releases: int = 0
    _processes: list[Process] = field(default_factory=list)
    _params: dict[str, Any] = field(default_factory=dict)
    _count: int = 0

    def open(self) -> World:
        """Answer the clients' calls."""
        self.clients = {name: clients.client(name) for name in ("s3", "codepipeline", "sns")}
        for one in self.clients.values():
            one.meta.events.register_last("provide-client-params", self._sent)
            one.meta.events.register_first("before-call", self._called)
            one.meta.events.register_last("after-call", self._answered)
        logs.hide()
        return self

    def close(self) -> None:
        """Leave the clients as they were."""
        for one in self.clients.values():
            one.meta.events.unregister("provide-client-params", self._sent)
            one.meta.events.unregister("before-call", self._called)
            one.meta.events.unregister("after-call", self._answered)

    # What happens in the world.

    def upload(self, key: str | None = None, body: bytes = b"1,2\n") -> str:
        """Upload a data set."""
        self._count += 1
        version = f"version-{self._count}"
        key = f"datasets/{self._count}.csv" if key is None else key
        for one in self.versions:
            one["IsLatest"] = one["IsLatest"] and one["Key"] != key
        moment = datetime.fromtimestamp(int(self.now), timezone.utc)
        self.versions.append(
            {"Key": key, "VersionId": version, "IsLatest": True, "Size": len(body), "LastModified": moment}
        )
        return version

    def start(self, version_id: str, starter: str = "arn:aws:sts::123456789012:assumed-role/person/ann") -> Execution:
        """Start an execution, which is queued behind those in progress."""
        self._count += 1
        alive = tuple(one.id for one in self.alive)
        seen = [one for one in self.executions if not self._is_unseen(one.id)]
        taken = [self.uploaded(one.version_id) for one in seen]
        mine = starter.endswith(f"/{FUNCTION}")
        newest = max(taken, default=0.0)
        execution = Execution(
            id=f"3f2b9c1e-7d54-4a8e-9c61-{self._count:012d}",
            version_id=version_id,
            started=self.now,
            starter=starter,
            newest_release=self.releases,
            seen_release=min((one.release for one in self._processes), default=self.releases),
            has_revision=not alive,
            # An execution that somebody started while the function decided was not to be seen.
            others_alive=tuple(one for one in alive if not self._is_unseen(one)),
            older_than_taken=mine
            and (self.uploaded(version_id) < newest or version_id in [one.version_id for one in seen]),
        )
        self.executions.append(execution)
        return execution

    def end(self, status: str) -> Execution | None:
        """End the execution that runs; a success is a release."""
        if not self.alive:
            return None
        execution = self.alive[0]
        execution.status, execution.has_revision = status, True
        if status == "Succeeded":
            self.release(execution)
        for one in self.alive[:1]:
            one.has_revision = True
        return execution

    def release(self, execution: Execution) -> None:
        """Write the record of a release."""
        self.releases += 1
        record = {
            "execution_id": execution.id,
            "released_at": datetime.fromtimestamp(self.now, timezone.utc).isoformat(),
            "dataset": {"key": "k", "version_id": execution.version_id},
            "steps": {},
        }
        self._put(f"releases/{PIPELINE}/{self.releases}.json", json.dumps(record).encode())

    def first_release(self) -> None:
        """What every history begins with."""
        self.start(self.upload())
        self.now += HOUR
        self.end("Succeeded")
        self.now += HOUR

    # What the function does.

    def alarm(self, *, trouble: Trouble | None = None, **given: Any) -> dict[str, Any] | None:
        """Deliver a new alarm, about the hour before."""
        self._count += 1
        event = {
            "id": f"alarm-{self._count}",
            "pipeline": PIPELINE,
            "reason": "drift",
            "release": self.releases,
            "window": datetime.fromtimestamp(self.now - HOUR, timezone.utc).isoformat(),
            "features": ["petal_length"],
            "sentence": "petal_length has drifted.",
            **given,
        }
        return self.deliver(event, trouble=trouble)

    def deliver(self, event: dict[str, Any], *, trouble: Trouble | None = None) -> dict[str, Any] | None:
        """Deliver an alarm, perhaps once more."""
        self.delivered.append((self.now, event))
        return self.invoke(event, trouble)

    def tick(self, *, trouble: Trouble | None = None) -> dict[str, Any] | None:
        """The schedule invokes the function."""
        return self.invoke({"source": "aws.events"}, trouble)

    def invoke(self, event: dict[str, Any], trouble: Trouble | None = None) -> dict[str, Any] | None:
        """Invoke the function; ``None`` when it is killed."""
        services = Services(self.clients["s3"], self.clients["codepipeline"], self.clients["sns"], FUNCTION)
        with self.process(trouble), contextlib.suppress(Killed):
            return retrain(read_alarm(event, PIPELINE), SETTINGS, self.document, services, clock=lambda: self.now)
        return None

    @contextlib.contextmanager
    def process(self, trouble: Trouble | None = None) -> Iterator[None]:
        """Let calls be of one process."""
        self._processes.append(Process(trouble, len(self.executions), self.releases))
        try:
            yield
        finally:
            self._processes.pop()

    # What is found.

    @property
    def alive(self) -> list[Execution]:
        """Those in progress or queued, the oldest first."""
        return [one for one in self.executions if one.status == "InProgress"]

    @property
    def mine(self) -> list[Execution]:
        """Those that the function has started."""
        return [one for one in self.executions if one.mine]

    def uploaded(self, version_id: str) -> float:
        """When a data set was uploaded."""
        return next(one["LastModified"].timestamp() for one in self.versions if one["VersionId"] == version_id)

    def why(self, execution: Execution) -> dict[str, Any]:
        """Why an execution was started."""
        return dict(json.loads(self.objects[f"retraining/{PIPELINE}/executions/{execution.id}.json"][0]))

    def decisions(self) -> list[dict[str, Any]]:
        """The records of the decisions, in their order."""
        folder = f"retraining/{PIPELINE}/decisions/"
        return [json.loads(self.objects[key][0]) for key in sorted(self.objects) if key.startswith(folder)]

    def broken(self) -> list[str]:
        """Which promises are broken."""
        found, cooldown = [], self.document.cooldown
        for earlier, later in zip(self.mine, self.mine[1:], strict=False):
            if later.started < earlier.started + cooldown:
                found.append("within the cooldown")
            if earlier.status == "Succeeded" and earlier.newest_release == later.newest_release:
                found.append("two executions for one storm")
        months = [f"{datetime.fromtimestamp(one.started, timezone.utc):%Y-%m}" for one in self.mine]
        if any(months.count(month) > self.document.max_executions_per_month for month in months):
            found.append("above the ceiling")
        for one in self.mine:
            if not self._is_needed(one):
                found.append("without an alarm about the release")
            if one.others_alive:
                found.append("beside an execution in progress")
            if one.older_than_taken:
                found.append("on data that is not new")
        return found

    def _is_needed(self, execution: Execution) -> bool:
        """Whether an alarm about the release of then, or of when the function looked, was delivered before."""
        about = (execution.newest_release, execution.seen_release)
        return any(moment <= execution.started and event["release"] in about for moment, event in self.delivered)

    def _is_unseen(self, execution_id: str) -> bool:
        began = min((one.began for one in self._processes), default=len(self.executions))
        return execution_id in [one.id for one in self.executions[began:] if not one.mine]

    # The edge to AWS.

    def _sent(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        assert violations(model.input_shape, params, model.name) == []
        self._params = params

    def _called(self, model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
        params, process = self._params, self._processes[-1]
        if process.dead:
            raise Killed
        process.calls += 1
        self.now += 1.0
        trouble = process.trouble
        if trouble is not None and trouble.nth == process.calls:
            if trouble.mode == BEFORE:
                process.dead = True
                raise Killed
            if trouble.mode == OVERTAKEN and trouble.others is not None:
                trouble.others()
        status, answer = getattr(self, f"_{model.name}")(params)
        return type("Response", (), {"status_code": status})(), {"ResponseMetadata": {}, **answer}

    def _answered(self, **_: Any) -> None:
        process = self._processes[-1]
        trouble = process.trouble
        if process.dead or (trouble is not None and trouble.mode == AFTER and trouble.nth == process.calls):
            process.dead = True
            raise Killed

    def _put(self, key: str, body: bytes) -> str:
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        self.objects[key] = (body, etag)
        return etag

    def _PutObject(self, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert params["Bucket"] == ARTIFACTS
        found = self.objects.get(params["Key"])
        if params.get("IfNoneMatch") == "*" and found is not None:
            return _error(412, "PreconditionFailed")
        if "IfMatch" in params and found is None:
            return _error(404, "NoSuchKey")
        if "IfMatch" in params and found is not None and found[1] != params["IfMatch"]:
            return _error(412, "PreconditionFailed")
        body = params["Body"]
        return 200, {"ETag": self._put(params["Key"], body if isinstance(body, bytes) else body.read())}

    def _GetObject(self, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        found = self.objects.get(params["Key"])
        if found is None:
            return _error(404, "NoSuchKey")
        return 200, {"Body": StreamingBody(io.BytesIO(found[0]), len(found[0])), "ETag": found[1]}

    def _ListObjectsV2(self, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        keys = sorted(key for key in self.objects if key.startswith(params["Prefix"]))
        return 200, {"Contents": [{"Key": key} for key in keys], "IsTruncated": False}

    def _ListObjectVersions(self, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert params["Bucket"] == DATA
        found = [one for one in self.versions if one["Key"].startswith(params["Prefix"])]
        return 200, {"Versions": [dict(one) for one in found], "IsTruncated": False}

    def _ListPipelineExecutions(self, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 200, {"pipelineExecutionSummaries": [_summary(one) for one in reversed(self.executions)]}

    def _StartPipelineExecution(self, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        token = params["clientRequestToken"]
        at, found = self.tokens.get(token, (0.0, ""))
        if self.now - at < TOKEN_SECONDS:
            return 200, {"pipelineExecutionId": found}
        given = {one["revisionType"]: one["revisionValue"] for one in params["sourceRevisions"]}
        assert {one["actionName"] for one in params["sourceRevisions"]} == {"Dataset"}
        role = f"arn:aws:sts::123456789012:assumed-role/{FUNCTION}/{FUNCTION}"
        execution = self.start(given["S3_OBJECT_VERSION_ID"], role)
        self.tokens[token] = (self.now, execution.id)
        return 200, {"pipelineExecutionId": execution.id}

    def _Publish(self, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.told.append(params)
        return 200, {"MessageId": "m"}


def _summary(execution: Execution) -> dict[str, Any]:
    revisions = [{"actionName": "Dataset", "revisionId": execution.version_id}] if execution.has_revision else []
    return {
        "pipelineExecutionId": execution.id,
        "status": execution.status,
        "startTime": datetime.fromtimestamp(execution.started, timezone.utc),
        "sourceRevisions": revisions,
        "trigger": {"triggerType": "StartPipelineExecution", "triggerDetail": execution.starter},
    }


def _error(status: int, code: str) -> tuple[int, dict[str, Any]]:
    return status, {"Error": {"Code": code, "Message": "No."}}
