"""One step of an execution: plan before the change sets, settle after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handler_kit.clients import artifact_client
from handler_kit.errors import ConfigurationError, StepError
from place_variants.artifact import INPUT, OUTPUT, read_parameters, write_parameters
from place_variants.plan import Plan, Planned
from place_variants.settle import Settle, Settled

if TYPE_CHECKING:
    from handler_kit.job import Job
    from place_variants.production import Production, Wait
    from place_variants.settings import Document, Params


def place(job: Job, params: Params, document: Document, production: Production, now: float) -> Planned | Settled | Wait:
    """Do the step that the action asks for. Raises StepError when the execution cannot go on."""
    if params.step == "plan":
        return _plan(job, params, document, production, now)
    if params.step == "settle":
        return Settle(production, params, document).run(now)
    raise ConfigurationError(f"UserParameters key step: must be plan or settle, got {params.step!r}")


def _plan(job: Job, params: Params, document: Document, production: Production, now: float) -> Planned | Wait:
    """Plan, and store the parameters of the change sets as the output artifact."""
    if job.credentials is None:
        raise StepError("The CodePipeline job has no artifact credentials, so the release cannot be read.")
    s3 = artifact_client(job.credentials)
    source, target = job.input_artifact(INPUT), job.output_artifact(OUTPUT)
    planned = Plan(production, params, document, read_parameters(s3, source)).run(now)
    if isinstance(planned, Planned):
        files = {"first": planned.first, "second": planned.second}
        write_parameters(s3, target, files, job.encryption_key_id)
    return planned
