"""Lambda entry point of the actions PlaceVariants and SettleVariants."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from handler_kit import tokens
from handler_kit.ab_store import Store
from handler_kit.clients import client
from handler_kit.errors import StepError
from handler_kit.report import Continue, Success, pipeline_step
from handler_kit.tokens import Token
from place_variants.place import place
from place_variants.production import Production, Wait
from place_variants.settings import Document, Params, Settings

if TYPE_CHECKING:
    from handler_kit.job import Job

# A promotion may watch the alarms for an hour, and an endpoint may take an hour to change.
MAX_WAIT_SECONDS = 3 * 3600


@pipeline_step
def handler(job: Job) -> Success | Continue:
    """Plan or settle, or request another invocation while something changes."""
    params, settings, document = Params.from_json(job.parameters), Settings.from_env(), Document.read()
    now = time.time()
    token = _token(job, settings.endpoint, int(now) + MAX_WAIT_SECONDS)
    store = Store(client("s3"), settings.artifact_bucket, settings.pipeline)
    clients = (client("sagemaker"), client("cloudformation"), client("cloudwatch"))
    found = place(job, params, document, Production(settings.endpoint, store, *clients), now)
    if not isinstance(found, Wait):
        return Success({"Role": found.role}, summary=found.summary, external_id=settings.endpoint)
    if now >= token.deadline:
        raise StepError(f"Still waiting after {MAX_WAIT_SECONDS // 3600} h: {found.summary}. Retry the stage.")
    return Continue(token, summary=found.summary, external_id=settings.endpoint)


def _token(job: Job, name: str, latest_deadline: int) -> Token:
    if job.continuation_token is None:
        return Token(name, latest_deadline)
    return tokens.decode(job.continuation_token, is_ours=lambda awaits: awaits == name, latest_deadline=latest_deadline)
