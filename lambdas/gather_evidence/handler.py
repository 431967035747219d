"""Lambda entry point of the action Evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gather_evidence.gather import gather, store
from gather_evidence.settings import Params, Settings
from handler_kit.clients import client
from handler_kit.report import Success, pipeline_step

if TYPE_CHECKING:
    from handler_kit.job import Job


@pipeline_step
def handler(job: Job) -> Success:
    """Gather the evidence, store it, and pass the message to the approval action."""
    params, settings = Params.from_json(job.parameters), Settings.from_env()
    s3 = client("s3")
    evidence = gather(params, settings, client("codepipeline"), client("sagemaker"), client("cloudformation"), s3)
    uri = store(evidence, settings, s3)
    outputs = {"Message": evidence.message(uri), "Link": evidence.link, "EvidenceUri": uri}
    return Success(outputs, summary=f"full evidence: {uri}", external_id=uri)
