"""The test of an endpoint: it must run the requested model, capture as configured, and return correct predictions."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from handler_kit import logs, tokens
from handler_kit.aws_time import time_of
from handler_kit.errors import StepError, error_code, error_message, is_transient
from handler_kit.golden import read_golden
from handler_kit.golden_limits import failed
from handler_kit.golden_result import Result
from handler_kit.predictions import predictions, same
from handler_kit.report import Continue, Success
from handler_kit.settings import NONE
from handler_kit.tokens import Token
from smoke_test import queued
from smoke_test.capture import check_capture
from smoke_test.rival import compare

if TYPE_CHECKING:
    from handler_kit.golden import Record
    from smoke_test.settings import Params, Settings

MAX_WAIT_SECONDS = 2 * 3600
CONTENT_TYPE = "text/csv"
INFERENCE_ID_PREFIX = "smoke-test-"

_CHANGING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})


class SmokeTest:
    """Tests one endpoint for one release."""

    def __init__(self, params: Params, settings: Settings, sagemaker: Any, runtime: Any, s3: Any) -> None:
        self._params = params
        self._settings = settings
        self._sagemaker = sagemaker
        self._runtime = runtime
        self._s3 = s3

    def run(self, token_text: str | None, *, now: int) -> Success | Continue:
        """Test the endpoint, or wait while it changes. Raises StepError saying what is wrong with it."""
        token = self._token(token_text, now + MAX_WAIT_SECONDS)
        try:
            endpoint = self._sagemaker.describe_endpoint(EndpointName=self._params.endpoint)
        except (ClientError, BotoCoreError) as error:
            if not is_transient(error):
                raise self._not_there(error) from error
            logs.info("DescribeEndpoint returned a transient error", endpoint=token.awaits, error=str(error))
            return self._wait(token, "unknown at the moment", now)
        status = endpoint["EndpointStatus"]
        if status in _CHANGING:
            # The clock of this environment may be wrong.
            seen = time_of(endpoint)
            return self._wait(token, status, now if seen is None else min(now, int(seen)))
        if status != "InService":
            reason = endpoint.get("FailureReason", "SageMaker gives no reason.")
            raise StepError(
                f"Endpoint {self._params.endpoint} is {status}: {reason} See its logs, and retry the stage that"
                " deploys it, with all its actions."
            )
        config = self._sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        variant = self._variant_of_release(config["ProductionVariants"])
        check_capture(endpoint, config)
        if self._params.golden_uri == NONE:
            summary = "the requested model is in service; there are no golden records to invoke it with"
            return Success({"Accuracy": NONE, "LatencyMs": NONE, "Summary": summary}, summary=summary)
        if "AsyncInferenceConfig" in config:
            return self._through_queue(config, token, now)
        return self._judge(self._invoke_with(read_golden(self._s3, self._params.golden_uri), variant))

    def _token(self, text: str | None, latest_deadline: int) -> Token:
        name = self._params.endpoint
        if text is None:
            return Token(name, latest_deadline)
        return tokens.decode(
            text, is_ours=lambda awaits: queued.decode(name, awaits) is not None, latest_deadline=latest_deadline
        )

    def _through_queue(self, config: dict[str, Any], token: Token, now: int) -> Success | Continue:
        """Send one record, and all together; latencies are in whole seconds, from the request to the response in S3."""
        endpoint, records = self._params.endpoint, read_golden(self._s3, self._params.golden_uri)
        queue = queued.Queue(endpoint, config, self._runtime, self._s3)
        sent = queued.decode(endpoint, token.awaits)
        if not sent:
            sent = [queue.send(self._request(some)) for some in ([records[0]], records)]
            token = Token(queued.encode(endpoint, sent), now + MAX_WAIT_SECONDS)
        found = queue.responses(sent)
        if found is None:
            return self._wait(token, "without a response to the golden records", now)
        (one,), together = (
            self._counted(predictions(response.text, count), count)
            for response, count in zip(found, (1, len(records)), strict=True)
        )
        self._require_same([one], together[:1], len(records))
        began = token.deadline - MAX_WAIT_SECONDS
        return self._judge(
            self._result(records, together, [max(0.0, (response.written - began) * 1000) for response in found])
        )

    def _judge(self, result: Result) -> Success:
        self._check(result)
        rival = self._beside_production(result)
        summary = f"{result}, {rival}" if rival else str(result)
        outputs = {
            "Accuracy": NONE if result.is_regression and not result.has_tolerance else f"{result.accuracy:.4g}",
            "LatencyMs": str(result.latency_ms),
            "Summary": summary,
        }
        return Success(outputs, summary=summary, external_id=self._params.endpoint)

    def _wait(self, token: Token, status: str, now: int) -> Continue:
        if now >= token.deadline:
            raise StepError(
                f"Endpoint {self._params.endpoint} is still {status} after {MAX_WAIT_SECONDS // 3600} h."
                " See its page in the SageMaker console; retry the stage when it is InService."
            )
        name = self._params.endpoint
        return Continue(token, summary=f"Endpoint {name}: {status}", external_id=name)

    def _not_there(self, error: Exception) -> Exception:
        if error_code(error) == "ValidationException" and "not find" in str(error):
            return StepError(
                f"There is no endpoint {self._params.endpoint}; retry the stage that deploys it, with all its actions."
            )
        return error

    def _variant_of_release(self, variants: list[dict[str, Any]]) -> str | None:
        """The name of the variant to invoke; ``None`` when there is only one variant.

        After a rollback an endpoint is InService too, with its previous model: only the image and model data differ.
        """
        running = {variant["VariantName"]: self._model(variant["ModelName"]) for variant in variants}
        requested = (self._params.image, self._params.model_data_url)
        for name, model in running.items():
            if model == requested:
                return name if len(variants) > 1 else None
        found = "; ".join(f"variant {name}: {image}, {data}" for name, (image, data) in running.items())
        raise StepError(
            f"Endpoint {self._params.endpoint} is InService but does not run the requested model; it was"
            f" probably rolled back, see its alarms. Requested: {requested[0]}, {requested[1]}. Running: {found}"
        )

    def _model(self, name: str) -> tuple[str, str]:
        model = self._sagemaker.describe_model(ModelName=name)
        container = model.get("PrimaryContainer") or (model.get("Containers") or [{}])[0]
        return container.get("Image", "no image"), container.get("ModelDataUrl", "no model data")

    def _invoke_with(self, records: list[Record], variant: str | None) -> Result:
        # The first invocation opens the connection, so its latency is not counted.
        self._invoke([records[0]], variant)
        answers, latencies_ms = [], []
        for record in records:
            before = time.perf_counter()
            answers += self._invoke([record], variant)
            latencies_ms.append((time.perf_counter() - before) * 1000)
        self._require_same(answers, self._invoke(records, variant), len(records))
        return self._result(records, answers, latencies_ms)

    def _require_same(self, alone: list[str], together: list[str], count: int) -> None:
        if not all(map(same, alone, together)):
            raise StepError(
                f"Endpoint {self._params.endpoint} returns different predictions for {count} records in one request"
                " than one by one; the container must return one line for each line, in order."
            )

    def _result(self, records: list[Record], answers: list[str], latencies_ms: list[float]) -> Result:
        settings = self._settings
        tolerances = (settings.absolute_tolerance or 0.0, settings.relative_tolerance or 0.0)
        return Result(records, answers, latencies_ms, *tolerances)

    def _beside_production(self, result: Result) -> str:
        """What production's model predicts for the same records; raises StepError when it is the better one."""
        endpoint, level = self._settings.production_endpoint, self._settings.confidence_level
        # A rollback deploys a release that is older than production on purpose.
        if endpoint is None or level is None or self._params.release not in (None, NONE):
            return ""
        records = list(result.records)
        try:
            response = self._runtime.invoke_endpoint(EndpointName=endpoint, **self._request(records))
        except ClientError as error:
            if error_code(error) == "ModelError":
                return "production fails on them"
            if error_code(error) == "ValidationError" and "not found" in str(error):
                return "no production endpoint"
            raise
        answers = _answers(response, len(records))
        if len(answers) != len(records):
            return f"production returns {len(answers)} predictions"
        found = compare(result, self._result(records, answers, []))
        if found.confidence >= level:
            raise StepError(
                f"Endpoint {self._params.endpoint}: {result}, {found}: production's model is better on {found.worse} of"
                f" these records and worse on {found.better}, which is not chance at {found.confidence:.3g} (confidence"
                f" level {level:g})."
            )
        return str(found)

    def _request(self, records: list[Record]) -> dict[str, Any]:
        body = "\n".join(record.features for record in records).encode()
        # By the prefix, these requests can be left out of what is learned from captured data.
        inference_id = f"{INFERENCE_ID_PREFIX}{uuid.uuid4().hex}"
        return {
            "ContentType": CONTENT_TYPE,
            "Accept": self._settings.accept,
            "Body": body,
            "InferenceId": inference_id,
        }

    def _invoke(self, records: list[Record], variant: str | None) -> list[str]:
        target = {"TargetVariant": variant} if variant else {}
        try:
            answer = self._runtime.invoke_endpoint(
                EndpointName=self._params.endpoint, **self._request(records), **target
            )
        except ClientError as error:
            if error_code(error) != "ModelError":
                raise
            raise StepError(
                f"The model on endpoint {self._params.endpoint} returned an error:"
                f" {error_message(error)[:1000]} See the endpoint's logs."
            ) from error
        return self._counted(_answers(answer, len(records)), len(records))

    def _counted(self, answers: list[str], count: int) -> list[str]:
        if len(answers) != count:
            raise StepError(
                f"Endpoint {self._params.endpoint} returned {len(answers)} predictions for {count} records."
                " The container must return one line of CSV for each line."
            )
        return answers

    def _check(self, result: Result) -> None:
        logs.info("endpoint invoked", endpoint=self._params.endpoint, result=str(result))
        problem = failed(result, self._settings)
        if problem is not None:
            raise StepError(f"Endpoint {self._params.endpoint}: {problem}.")


def _answers(response: dict[str, Any], count: int) -> list[str]:
    return predictions(response["Body"].read().decode("utf-8", errors="replace"), count)
