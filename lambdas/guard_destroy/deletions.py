"""Asks for the deletion of what is left; none waits for its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit.errors import error_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from guard_destroy.left import Left
    from guard_destroy.settings import Document

REASON = "The stack of this pipeline is being destroyed."
_GONE = frozenset({"PipelineExecutionNotStoppableException", "DuplicatedStopRequestException"})


class Deletions:
    """It; only what is not yet being deleted is asked for."""

    def __init__(self, document: Document, clients: Callable[[str], Any]) -> None:
        self._document, self._clients = document, clients
        self._by_kind: dict[str, Callable[[Left], object]] = {
            "execution": self._stop,
            "stack": self._delete_stack,
            "training job": self._stop_job("stop_training_job", "TrainingJobName"),
            "tuning job": self._stop_job("stop_hyper_parameter_tuning_job", "HyperParameterTuningJobName"),
            "processing job": self._stop_job("stop_processing_job", "ProcessingJobName"),
            "transform job": self._stop_job("stop_transform_job", "TransformJobName"),
            "endpoint": lambda one: clients("sagemaker").delete_endpoint(EndpointName=one.name),
            "endpoint configuration": lambda one: clients("sagemaker").delete_endpoint_config(
                EndpointConfigName=one.name
            ),
            "model": lambda one: clients("sagemaker").delete_model(ModelName=one.name),
            "model package": lambda one: clients("sagemaker").delete_model_package(ModelPackageName=one.name),
            "alarm": lambda one: clients("cloudwatch").delete_alarms(AlarmNames=[one.name]),
            "scalable target": self._deregister,
        }

    def take_no_more(self) -> None:
        """Let no execution enter the second stage, where it would begin to make something."""
        for name, stage in self._document.pipelines.items():
            where = {"pipelineName": name, "stageName": stage, "transitionType": "Inbound"}
            try:
                self._clients("codepipeline").disable_stage_transition(**where, reason=REASON)
            except ClientError as error:
                # Somebody has deleted the pipeline.
                if error_code(error) != "PipelineNotFoundException":
                    raise

    def delete_logs(self) -> None:
        """Delete the log groups that SageMaker has made for the endpoints."""
        for name in self._document.endpoints:
            try:
                self._clients("logs").delete_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{name}")
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise

    def delete(self, one: Left) -> None:
        """Ask for one deletion. Raises ClientError when AWS refuses."""
        self._by_kind[one.kind](one)

    def _stop(self, one: Left) -> None:
        which = {"pipelineName": one.where, "pipelineExecutionId": one.name}
        try:
            self._clients("codepipeline").stop_pipeline_execution(**which, abandon=True, reason=REASON)
        except ClientError as error:
            if error_code(error) not in _GONE:
                raise

    def _stop_job(self, operation: str, member: str) -> Callable[[Left], object]:
        def stop(one: Left) -> None:
            if one.where == "InProgress":
                getattr(self._clients("sagemaker"), operation)(**{member: one.name})

        return stop

    def _delete_stack(self, one: Left) -> None:
        """Delete a stack with its own role. What it cannot delete is left to be deleted directly."""
        status = one.where
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            return
        how = {"DeletionMode": "FORCE_DELETE_STACK"} if status == "DELETE_FAILED" else {}
        self._clients("cloudformation").delete_stack(StackName=one.name, **how)

    def _deregister(self, one: Left) -> None:
        which = {"ServiceNamespace": "sagemaker", "ResourceId": one.name, "ScalableDimension": one.where}
        self._clients("application-autoscaling").deregister_scalable_target(**which)
