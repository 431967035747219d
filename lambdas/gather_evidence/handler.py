"""Lambda entry point of the action Evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gather_evidence.gather import gather, store
from gather_evidence.settings import Document, Params, Settings
from handler_kit.clients import client
from handler_kit.report import Success, pipeline_step

if TYPE_CHECKING:
    from handler_kit.job import Job


@pipeline_step
def handler(job: Job) -> Success:
    """Gather the evidence, store it, and pass the message to the approval action."""
    params, settings = Params.from_json(job.parameters), Settings.from_env()
    services = (client("codepipeline"), client("sagemaker"), client("cloudformation"), client("s3"))
    evidence = gather(params, settings, Document.read(), *services, lambda: client("ecr"))
    uri = store(evidence, settings, services[-1])
    outputs = {"Message": evidence.message(uri), "Link": evidence.link, "EvidenceUri": uri}
    outputs["ReasonFor"] = evidence.reason
    return Success(outputs, summary=f"full evidence: {uri}", external_id=uri)
