"""Lambda entry point of the action Gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evaluate_model.evaluate import evaluate
from evaluate_model.settings import Document, Params, Settings
from handler_kit.clients import client
from handler_kit.report import Success, pipeline_step

if TYPE_CHECKING:
    from handler_kit.job import Job


@pipeline_step
def handler(job: Job) -> Success:
    """Apply the gate; a candidate that does not pass is marked Rejected in the model registry."""
    params, settings = Params.from_json(job.parameters), Settings.from_env()
    return evaluate(params, settings, Document.read(), client("sagemaker"), client("cloudformation"))
