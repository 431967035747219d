"""CodePipeline jobs: the operations with which a function reads its job and reports the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from mlops_constructs.local_aws.service import AwsError, Params, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.codepipeline.executor import Executor
    from mlops_constructs.local_aws.codepipeline.state import Job
    from mlops_constructs.local_aws.lambda_.service import LambdaService

MAXIMUM_VARIABLES_BYTES = 122_880


class PipelineJobs(Service):
    """The operations of job workers: Lambda functions that do the job of an action."""

    service_name: ClassVar[str] = "codepipeline"

    def __init__(self, account: Account, executor: Executor, lambda_: LambdaService) -> None:
        super().__init__(account)
        self.executor = executor
        lambda_.on_failure(self._lambda_gave_up)

    def put_job_success_result(self, params: Params) -> Params:
        """A function's report: the job succeeded, or with a continuation token, it continues."""
        variables = params.get("outputVariables", {})
        token = params.get("continuationToken")
        if variables and token is not None:
            message = "outputVariables cannot be given together with a continuationToken"
            raise AwsError("ValidationException", message)
        if sum(len(f"{key}{value}".encode()) for key, value in variables.items()) > MAXIMUM_VARIABLES_BYTES:
            message = f"The output variables are larger than {MAXIMUM_VARIABLES_BYTES} bytes."
            raise AwsError("OutputVariablesSizeExceededException", message)

        def settle(job: Job) -> None:
            job.succeeded, job.continuation_token = True, token
            job.output_variables, job.details = variables, params.get("executionDetails", {})

        return self._report(params["jobId"], settle)

    def put_job_failure_result(self, params: Params) -> Params:
        """A function's report that its action failed."""
        details = params["failureDetails"]

        def settle(job: Job) -> None:
            job.failed, job.failure_code, job.failure_message = True, details["type"], details["message"]
            job.details = {key: details[key] for key in ("externalExecutionId",) if key in details}

        return self._report(params["jobId"], settle)

    def get_job_details(self, params: Params) -> Params:
        """The data of a job."""
        job = self._job(params["jobId"])
        return {"jobDetails": {"id": job.id, "data": job.data, "accountId": self.account.account_id}}

    def _report(self, job_id: str, settle: Any) -> Params:
        self._job(job_id)
        if not self.executor.report(job_id, settle):
            raise AwsError("InvalidJobStateException", f"The job {job_id} already has a result.")
        return {}

    def _job(self, job_id: str) -> Job:
        with self.executor.changed:
            job = self.executor.jobs.get(job_id)
        if job is None:
            raise AwsError("JobNotFoundException", f"There is no job {job_id}.")
        return job

    def _lambda_gave_up(self, function: str, event: Any, reason: str) -> None:
        job = event.get("CodePipeline.job") if isinstance(event, dict) else None
        if job is None:
            return

        def settle(pending: Job) -> None:
            pending.failed, pending.failure_code = True, "JobFailed"
            pending.failure_message = f"the Lambda function {function} failed: {reason}"

        self.executor.report(job["id"], settle)
