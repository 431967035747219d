"""The smoke test of batch transform: a candidate scores the golden records, and the limits of DEV hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit import logs
from handler_kit.documents import merged
from handler_kit.errors import PERMISSION_CODES, StepError, error_code
from handler_kit.executions import Execution
from handler_kit.golden import read_golden
from handler_kit.golden_limits import failed
from handler_kit.golden_result import Result
from handler_kit.job_run import JobRun
from handler_kit.predictions import predictions
from handler_kit.report import Continue, Success
from handler_kit.requests import EXECUTION, STARTED_BY, output_key
from handler_kit.settings import NONE
from handler_kit.transform_jobs import TransformJobs, explained, job_places, model_request

if TYPE_CHECKING:
    from batch_smoke_test.settings import Document, Params, Settings
    from handler_kit.golden import Record
    from handler_kit.job import Job

INPUT, OUTPUT = "in/golden.csv", "out"
_NO_GOLDEN = "there are no golden records to score"


@dataclass(frozen=True)
class Services:
    """The clients that a test needs."""

    sagemaker: Any
    s3: Any
    codepipeline: Any
    logs: Any


class BatchSmokeTest:
    """Tests one candidate."""

    def __init__(self, params: Params, settings: Settings, document: Document, services: Services) -> None:
        self._params = params
        self._settings = settings
        self._document = document
        self._services = services
        self._jobs = TransformJobs(services.sagemaker, settings.job_prefix)

    def run(self, job: Job, *, now: int) -> Success | Continue:
        """Start the job, wait for it, or judge its predictions. Raises StepError saying what is wrong."""
        if self._params.golden_uri == NONE:
            return Success({"Summary": _NO_GOLDEN}, summary=_NO_GOLDEN)
        records = read_golden(self._services.s3, self._params.golden_uri)
        execution = Execution(self._services.codepipeline, self._settings.pipeline, self._params.execution_id)
        found = JobRun(
            self._jobs, execution, started_by=job.id, request=lambda name, _: self._request(name, records, job.id)
        ).call(job.continuation_token, now=now)
        if isinstance(found, Continue):
            return found
        self._jobs.forget(found.name)
        if not found.has_result:
            failure = self._jobs.failure(found)
            raise StepError(explained(str(failure), found.name, self._services.logs), external_id=failure.external_id)
        result = self._result(records, found.name)
        problem = failed(result, self._settings)
        if problem is not None:
            raise StepError(f"Transform job {found.name}: {problem}.")
        logs.info("golden records scored", job=found.name, result=str(result))
        return Success({"Summary": str(result)}, summary=str(result), external_id=found.name)

    def _folder(self, name: str) -> str:
        return f"batch-tests/{self._settings.pipeline}/{name}"

    def _request(self, name: str, records: list[Record], pipeline_job_id: str) -> dict[str, Any]:
        settings, params, written = self._settings, self._params, self._document.transform_job
        package = self._services.sagemaker.describe_model_package(ModelPackageName=params.model_package_arn)
        network = (settings.subnet_ids, settings.security_group_ids)
        root = f"s3://{settings.artifact_bucket}/{self._folder(name)}"
        key, instance_type = settings.kms_key_arn, written["TransformResources"]["InstanceType"]
        known = job_places(name, ("S3Prefix", f"{root}/{INPUT}"), f"{root}/{OUTPUT}", instance_type, (key, key))
        # In the description of the job, they tell which attempt of the stage started it.
        known["Environment"] = {EXECUTION: params.execution_id, STARTED_BY: pipeline_job_id}
        self._upload(name, records)
        return {
            "model": model_request(name, package, settings.batch_role_arn, settings.pipeline, network),
            "job": merged(written, known),
        }

    def _upload(self, name: str, records: list[Record]) -> None:
        """Write the records without their labels."""
        key, body = self._settings.kms_key_arn, "\n".join(record.features for record in records)
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if output_key(key) else {}
        self._services.s3.put_object(
            Bucket=self._settings.artifact_bucket, Key=f"{self._folder(name)}/{INPUT}", Body=body.encode(), **encryption
        )

    def _result(self, records: list[Record], name: str) -> Result:
        settings = self._settings
        key = f"{self._folder(name)}/{OUTPUT}/{INPUT.rpartition('/')[2]}.out"
        try:
            body = self._services.s3.get_object(Bucket=settings.artifact_bucket, Key=key)["Body"].read()
        except ClientError as error:
            # For a missing object, S3 returns "access denied" to a function that may not list the bucket.
            if error_code(error) not in {"NoSuchKey", *PERMISSION_CODES}:
                raise
            raise StepError(
                f"Transform job {name} wrote no s3://{settings.artifact_bucket}/{key}, or the function may not read it."
                " Check the role of this function."
            ) from error
        answers = predictions(body.decode("utf-8", errors="replace"), len(records))
        if len(answers) != len(records):
            raise StepError(
                f"Transform job {name} returned {len(answers)} predictions for {len(records)} golden records. The"
                " container must return one line of CSV for each line."
            )
        tolerances = (settings.absolute_tolerance or 0.0, settings.relative_tolerance or 0.0)
        return Result(records, answers, [], *tolerances)
