"""InvokeEndpointAsync: queues requests, and hands them to the instances of their endpoints."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.cloudwatch.metrics import Metric
from mlops_constructs.local_aws.sagemaker.async_queue import CONCURRENT_INVOCATIONS, AsyncQueue, QueuedRequest
from mlops_constructs.local_aws.sagemaker.async_run import AsyncRun, FailedError
from mlops_constructs.local_aws.sagemaker.queue_scaling import QueueScaling, Seen
from mlops_constructs.local_aws.sagemaker.runtime import check_inference_id
from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.cloudwatch.metrics import Metrics
    from mlops_constructs.local_aws.sagemaker.endpoints import Endpoints
    from mlops_constructs.local_aws.sagemaker.fleet import Fleet, Variant

_TURN_SECONDS = 0.1
_NAMESPACE = "AWS/SageMaker"


class AsyncInvocations(Service):
    """The queues of the account's asynchronous endpoints."""

    service_name: ClassVar[str] = "sagemaker-runtime"

    def __init__(self, account: Account, endpoints: Endpoints, metrics: Metrics) -> None:
        super().__init__(account)
        self.scaling = QueueScaling(account)
        self._endpoints = endpoints
        self._metrics = metrics
        self._queues: dict[str, AsyncQueue] = {}

    def start(self) -> None:
        """Start to hand out requests."""
        self.account.spawn("async-invocations", self._work, always=True)

    def invoke_endpoint_async(self, params: Params) -> Params:
        """Queue a request; S3 is read only when an instance takes it."""
        check_inference_id(params.get("InferenceId", "x"))
        name = params["EndpointName"]
        fleet = self._endpoints.serving(name)
        if "AsyncInferenceConfig" not in fleet.config:
            raise AwsError("ValidationError", f"Endpoint {fleet.endpoint_name} has no AsyncInferenceConfig.")
        if "Body" in params or "InputLocation" not in params:
            raise AwsError("ValidationError", "the local AWS supports requests with an InputLocation only")
        output = fleet.config["AsyncInferenceConfig"]["OutputConfig"]
        own = str(uuid.uuid4())
        failure = output.get("S3FailurePath", "").rstrip("/")
        request = QueuedRequest(
            params,
            params.get("InferenceId", own),
            f"{output['S3OutputPath'].rstrip('/')}/{own}.out",
            f"{failure}/{own}-error.out" if failure else "",
            self.account.clock.now(),
        )
        with self.lock:
            self._queues.setdefault(fleet.endpoint_name, AsyncQueue(fleet.endpoint_name)).put(request)
        answer = {"InferenceId": request.inference_id, "OutputLocation": request.output}
        return {**answer, **({"FailureLocation": request.failure} if failure else {})}

    def _work(self) -> None:
        while not self.account.closing.wait(_TURN_SECONDS):
            for fleet in self._endpoints.asynchronous():
                with self.lock:
                    queue = self._queues.setdefault(fleet.endpoint_name, AsyncQueue(fleet.endpoint_name))
                self._turn(queue, fleet)
            alive = {fleet.endpoint_name for fleet in self._endpoints.asynchronous()}
            with self.lock:
                # A deleted endpoint takes its queue with it.
                self._queues = {name: queue for name, queue in self._queues.items() if name in alive}

    def _turn(self, queue: AsyncQueue, fleet: Fleet) -> None:
        """Hand out what the instances can take, and end those that are not wanted any more."""
        (variant,) = fleet.variants
        for expired in queue.take_expired(self.account.clock.now()):
            reason = "The request has expired: it waited in the queue longer than RequestTTLSeconds."
            AsyncRun(self.account, self._metrics, fleet, variant, expired).fail(FailedError(reason, "ExpiredRequests"))
        count = variant.instance_count or 0
        client = fleet.config["AsyncInferenceConfig"].get("ClientConfig", {})
        capacity = count * client.get("MaxConcurrentInvocationsPerInstance", CONCURRENT_INVOCATIONS)
        while (request := queue.take(capacity)) is not None:
            self._hand_out(queue, fleet, variant, request)
        if count == 0 and queue.active == 0 and variant.on_demand.runs:
            variant.on_demand.rest()
        seen = Seen(fleet.endpoint_name, variant.name, queue.backlog, count)
        self._publish(queue, seen)
        self.scaling.look(seen)

    def _hand_out(self, queue: AsyncQueue, fleet: Fleet, variant: Variant, request: QueuedRequest) -> None:
        run = AsyncRun(self.account, self._metrics, fleet, variant, request)

        def work() -> None:
            try:
                variant.on_demand.wake()
                run.run()
            except OSError as error:
                run.fail(FailedError(str(error)))
            finally:
                queue.done(request)

        self.account.spawn(f"async-{request.inference_id}", work)

    def _publish(self, queue: AsyncQueue, seen: Seen) -> None:
        """https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html"""
        oldest = queue.oldest()
        age = 0 if oldest is None else round(self.account.clock.now() - oldest.queued_at)
        values: dict[str, float] = {
            "ApproximateBacklogSize": seen.backlog,
            "HasBacklogWithoutCapacity": int(seen.is_stuck),
        }
        if seen.count:
            values["ApproximateBacklogSizePerInstance"] = seen.backlog / seen.count
        one = {"EndpointName": seen.endpoint_name}
        data = [(Metric.of(_NAMESPACE, name, one), "Count", value) for name, value in values.items()]
        data.append((Metric.of(_NAMESPACE, "ApproximateAgeOfOldestRequest", one), "Seconds", age))
        self._metrics.publish(data, self.account.clock.time())
