"""What a pipeline is doing: its executions and their jobs, which would make again what a teardown deletes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from .clients import code_of, explained
from .made import Made

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .made import Patience
    from .pipeline import DeployedPipeline

_RUNNING = ("InProgress", "Stopping")
REASON = "mlops teardown. To use the pipeline again - mlops teardown --cancel"


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of job, by its noun in SageMaker's API: ``TrainingJob``."""

    name: str
    noun: str
    method: str


_JOBS = (
    _Kind("training job", "TrainingJob", "training_job"),
    _Kind("tuning job", "HyperParameterTuningJob", "hyper_parameter_tuning_job"),
    _Kind("processing job", "ProcessingJob", "processing_job"),
)


class Running:
    """The executions and jobs of a pipeline, and of the pipeline that builds its image."""

    def __init__(self, pipeline: DeployedPipeline, patience: Patience) -> None:
        """Prepare; nothing is called yet."""
        self._pipeline, self._patience = pipeline, patience

    def take_no_more(self) -> None:
        """Disable the transition into the second stage: an execution that starts now makes nothing.

        An upload during a teardown still starts an execution, which waits after its source. The rules that start it are
        Terraform's, and stay as they are.
        """
        for name in self._names():
            with explained(f"the pipeline {name} could not be kept from starting"):
                where = {"pipelineName": name, "stageName": self._second_stage(name), "transitionType": "Inbound"}
                self._pipeline.client("codepipeline").disable_stage_transition(**where, reason=REASON)

    def take_again(self) -> None:
        """Enable the transition again; an execution that waits goes on."""
        for name in self._names():
            with explained(f"the pipeline {name} could not be enabled"):
                where = {"pipelineName": name, "stageName": self._second_stage(name), "transitionType": "Inbound"}
                self._pipeline.client("codepipeline").enable_stage_transition(**where)

    def executions(self) -> Iterator[Made]:
        """Return the executions that are not over."""
        for name in self._names():
            pages = self._pipeline.client("codepipeline").get_paginator("list_pipeline_executions")
            for page in pages.paginate(pipelineName=name):
                for one in page["pipelineExecutionSummaries"]:
                    if one["status"] in _RUNNING:
                        id_ = one["pipelineExecutionId"]
                        yield Made("execution", f"{name}/{id_}", partial(self._stop, name, id_))

    def jobs(self) -> Iterator[Made]:
        """Return the jobs that are not over."""
        sagemaker = self._pipeline.client("sagemaker")
        prefixes = {self._pipeline.name, tuning_prefix(self._pipeline.name)}
        ours = re.compile(rf"({'|'.join(map(re.escape, sorted(prefixes)))})-[0-9a-f]{{12}}(-r\d+)?")
        for kind in _JOBS:
            for prefix in sorted(prefixes):
                for status in _RUNNING:
                    pages = sagemaker.get_paginator(f"list_{kind.method}s").paginate(
                        NameContains=prefix, StatusEquals=status
                    )
                    for page in pages:
                        for one in page[f"{kind.noun}Summaries"]:
                            name = one[f"{kind.noun}Name"]
                            # A name that contains the prefix of this pipeline may be another's.
                            if ours.fullmatch(name) and name.startswith(f"{prefix}-"):
                                yield Made(kind.name, name, partial(self._stop_job, kind, name))

    def _names(self) -> list[str]:
        image = self._pipeline.image_pipeline
        return [self._pipeline.name, *([] if image is None else [image])]

    def _second_stage(self, name: str) -> str:
        definition: Mapping[str, Any] = self._pipeline.definition
        if name != self._pipeline.name:
            definition = self._pipeline.client("codepipeline").get_pipeline(name=name)["pipeline"]
        return str(definition["stages"][1]["name"])

    def _stop(self, pipeline: str, execution_id: str) -> None:
        """Stop an execution, also one that waits for its present action to end: an approval may take days."""
        from botocore.exceptions import ClientError

        codepipeline = self._pipeline.client("codepipeline")
        which = {"pipelineName": pipeline, "pipelineExecutionId": execution_id}

        def is_over() -> bool:
            status = codepipeline.get_pipeline_execution(**which)["pipelineExecution"]["status"]
            return status not in _RUNNING

        with explained(f"the execution {execution_id} could not be stopped"):
            try:
                codepipeline.stop_pipeline_execution(**which, abandon=True, reason="mlops teardown")
            except ClientError as error:
                # It is over meanwhile, or somebody has abandoned it.
                if code_of(error) not in ("PipelineExecutionNotStoppableException", "DuplicatedStopRequestException"):
                    raise
            self._patience.until(is_over, f"the execution {execution_id} has been stopping")

    def _stop_job(self, kind: _Kind, name: str) -> None:
        from botocore.exceptions import ClientError

        sagemaker, which = self._pipeline.client("sagemaker"), {f"{kind.noun}Name": name}

        def status() -> str:
            return str(getattr(sagemaker, f"describe_{kind.method}")(**which)[f"{kind.noun}Status"])

        with explained(f"the {kind.name} {name} could not be stopped"):
            try:
                getattr(sagemaker, f"stop_{kind.method}")(**which)
            except ClientError:
                if status() == "InProgress":
                    raise
            self._patience.until(lambda: status() not in _RUNNING, f"the {kind.name} {name} has been stopping")


def tuning_prefix(name: str) -> str:
    """Return what the names of a pipeline's tuning jobs begin with: SageMaker allows them 32 characters only."""
    readable, _, digest = name.rpartition("-")
    return f"{re.sub(r'-(?=[0-9a-f]{6}(?:-|$))', '', readable[:9].strip('-'))}-{digest}"
