"""The requests of a transform job to its container: mini-batches of records, several at the same time."""

from __future__ import annotations

import contextlib
import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.sagemaker.job_files import JobError
from mlops_constructs.local_aws.sagemaker.transform_filters import DataProcessing
from mlops_constructs.local_aws.sagemaker.transform_records import assembled, decompressed, mini_batches, split

if TYPE_CHECKING:
    import threading

    from mlops_constructs.local_aws.containers.running import Container
    from mlops_constructs.local_aws.service import Params

_PARAMETERS_SECONDS = 10.0
_STRATEGIES = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}
_DEFAULTS: dict[str, Any] = {"MaxConcurrentTransforms": 1, "MaxPayloadInMB": 6, "BatchStrategy": "MULTI_RECORD"}


@dataclass(frozen=True)
class Settings:
    """How requests are made; None where neither the caller nor the container has said it yet.

    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html
    """

    concurrent: int | None
    megabytes: int | None
    strategy: str | None

    @classmethod
    def of(cls, request: Params) -> Settings:
        """What the caller has requested; 0 parallel requests are unset, 0 MB are unlimited."""
        strategy = request.get("BatchStrategy")
        return cls(
            request.get("MaxConcurrentTransforms") or None,
            request.get("MaxPayloadInMB"),
            None if strategy is None else _STRATEGIES[strategy],
        )

    def environment(self) -> dict[str, str]:
        """The variables that SageMaker adds for batch transform; those that the caller did not set are left out."""
        given = {
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": self.megabytes,
            "SAGEMAKER_BATCH_STRATEGY": self.strategy,
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": self.concurrent,
        }
        known = {name: str(value) for name, value in given.items() if value is not None}
        return {"SAGEMAKER_BATCH": "true", **known}

    def with_defaults(self, container: Container) -> Settings:
        """Take what the container asks for in /execution-parameters, otherwise AWS's defaults."""
        if None not in (self.concurrent, self.megabytes, self.strategy):
            return self
        asked = {**_DEFAULTS, **_execution_parameters(container)}
        return replace(
            self,
            concurrent=int(asked["MaxConcurrentTransforms"]) if self.concurrent is None else self.concurrent,
            megabytes=int(asked["MaxPayloadInMB"]) if self.megabytes is None else self.megabytes,
            strategy=str(asked["BatchStrategy"]) if self.strategy is None else self.strategy,
        )

    def __str__(self) -> str:
        return (
            f"MaxConcurrentTransforms={self.concurrent}, MaxPayloadInMB={self.megabytes}, BatchStrategy={self.strategy}"
        )


def _execution_parameters(container: Container) -> dict[str, Any]:
    """The container's wishes; none when it does not implement them, or not as JSON."""
    try:
        with contextlib.closing(container.connection(_PARAMETERS_SECONDS)) as connection:
            connection.request("GET", "/execution-parameters")
            response = connection.getresponse()
            body = response.read()
            found = json.loads(body) if response.status == 200 else {}
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    return {name: found[name] for name in _DEFAULTS if found.get(name) is not None} if isinstance(found, dict) else {}


class Requests:
    """Sends the records of objects to one container."""

    def __init__(self, container: Container, settings: Settings, request: Params, stop: threading.Event) -> None:
        self.settings = settings
        self._container = container
        self._stop = stop
        given, output, client = request["TransformInput"], request["TransformOutput"], request.get("ModelClientConfig")
        self._split, self._compression = given.get("SplitType", "None"), given.get("CompressionType", "None")
        self._assemble = output.get("AssembleWith", "None")
        self._processing = DataProcessing(request)
        headers = {"Content-Type": given.get("ContentType"), "Accept": output.get("Accept")}
        self._headers = {name: value for name, value in headers.items() if value is not None}
        self._seconds = float((client or {}).get("InvocationsTimeoutInSeconds", 600))
        self._retries = int((client or {}).get("InvocationsMaxRetries", 3))

    def transformed(self, body: bytes) -> bytes:
        """The output for an object. Raises `JobError` with the reason of the first request that failed."""
        processing = self._processing
        originals = split(decompressed(body, self._compression), self._split)
        records = [processing.of_input(record) for record in originals] if processing.reads_input else originals
        strategy = "SingleRecord" if self.settings.strategy == "SINGLE_RECORD" else "MultiRecord"
        batches = list(mini_batches(records, self._split, strategy, self.settings.megabytes or 0))
        with ThreadPoolExecutor(max_workers=max(1, self.settings.concurrent or 1)) as pool:
            results = list(pool.map(self._invoked, [payload for _, payload in batches]))
        if processing.reads_output:
            sizes, begin, joined = [size for size, _ in batches], 0, []
            for size, result in zip(sizes, results, strict=True):
                joined.append(processing.of_output(originals[begin : begin + size], result))
                begin += size
            results = joined
        return assembled(results, self._assemble)

    def _invoked(self, payload: bytes) -> bytes:
        """The response to one payload; what the client cannot have caused is tried again."""
        reason = ""
        for _ in range(self._retries + 1):
            if self._stop.is_set():
                return b""
            try:
                status, answer = self._post(payload)
            except (OSError, http.client.HTTPException) as error:
                # https://github.com/aws/sagemaker-python-sdk/issues/1951
                reason = f"AlgorithmError: Unable to get response from algorithm\n{error}"
                continue
            if 200 <= status < 300:
                return answer
            text = answer.decode(errors="replace")
            if status < 500:
                raise JobError(f"ClientError: {status}\n{text}")
            reason = f"AlgorithmError: {status}\n{text}"
        raise JobError(reason)

    def _post(self, payload: bytes) -> tuple[int, bytes]:
        with contextlib.closing(self._container.connection(self._seconds)) as connection:
            connection.request("POST", "/invocations", body=payload, headers=self._headers)
            response = connection.getresponse()
            return response.status, response.read()
