"""What the account says of a pipeline at one moment."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from mlops_constructs.deployed.endpoints import predict
from mlops_constructs.deployed.executions import Executions

if TYPE_CHECKING:
    from mlops_constructs.deployed.executions import ActionExecution, Execution
    from release_soak.site import Site

# States of a stack that has no endpoint that serves.
_NOT_SERVING = ("REVIEW_", "CREATE_", "ROLLBACK_", "DELETE_")
_SERVING = ("CREATE_COMPLETE",)


@dataclass(frozen=True)
class Ran:
    """An execution.

    Attributes:
        id: Its id.
        status: As in CodePipeline.
        by_event: Whether EventBridge has started it.
        version: Version of its data set; empty when it has not come so far.
        seen: Its actions.
    """

    id: str
    status: str
    by_event: bool
    version: str
    seen: Execution

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.seen.ended

    @property
    def package(self) -> str:
        """The model package that it has registered; that of a release that it deploys again."""
        return self.seen.variable("Register", "ModelPackageArn")

    @property
    def is_duplicate(self) -> bool:
        """Whether it has stopped itself, as the same upload has started another one."""
        return self.status == "Stopped" and any(
            one.name == "CheckDataset" and "has started execution" in one.summary for one in self.seen.actions
        )

    @property
    def reason(self) -> str:
        """Stage, action and message of the newest failure."""
        failed = [one for one in self.seen.actions if one.status in ("Failed", "Abandoned")]
        return f"{failed[-1].stage} / {failed[-1].name}: {failed[-1].summary}" if failed else ""

    def actions(self, name: str) -> list[ActionExecution]:
        """Return the attempts of an action."""
        return [one for one in self.seen.actions if one.name == name]

    def succeeded(self, name: str) -> bool:
        """Whether an action has succeeded."""
        return any(one.status == "Succeeded" for one in self.actions(name))


@dataclass(frozen=True)
class Facts:
    """What there is.

    Attributes:
        ran: The executions since the run began, oldest first.
        jobs: Execution to its jobs and their status, training and processing.
        records: The records of releases, newest first.
        stack: Status of production's stack; empty when there is none.
        package: The model package that this stack runs; empty when there is none.
        answer: What production answers; empty when it does not serve.
        approval: Status of that package in the registry; empty when it was deleted.
    """

    ran: list[Ran]
    jobs: dict[str, dict[str, str]]
    records: list[dict[str, Any]]
    stack: str
    package: str
    answer: str
    approval: str

    @classmethod
    def read(cls, site: Site, before: set[str]) -> Facts:
        """Read them; executions that were known before are left out."""
        ran, jobs = _ran(site, before), dict[str, dict[str, str]]()
        for one in ran:
            jobs[one.id] = _jobs_of(site, one.id)
        stack = site.stack(site.production)
        status, package, endpoint = "", "", ""
        if stack is not None:
            status = stack["StackStatus"]
            serves = status in _SERVING or not status.startswith(_NOT_SERVING)
            given = {one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", [])}
            package = str(given.get("ModelPackageArn", "")) if serves else ""
            endpoint = next(
                (one["OutputValue"] for one in stack.get("Outputs", []) if "Endpoint" in one["OutputKey"]), ""
            )
        return cls(
            ran=ran,
            jobs=jobs,
            records=site.records(),
            stack=status,
            package=package,
            answer=_answer(site, endpoint) if package else "",
            approval=approval_of(site, package) if package else "",
        )

    def execution(self, id_: str) -> Ran | None:
        """Return an execution of this run."""
        return next((one for one in self.ran if one.id == id_), None)


def approval_of(site: Site, package: str) -> str:
    """Return the status of a model package in the registry; empty when it does not exist."""
    with contextlib.suppress(ClientError):
        described = site.client("sagemaker").describe_model_package(ModelPackageName=package)
        return str(described["ModelApprovalStatus"])
    return ""


def _ran(site: Site, before: set[str]) -> list[Ran]:
    executions = Executions(site.client, site.name)
    found = []
    for one in reversed(executions.newest()):
        id_ = one["pipelineExecutionId"]
        if id_ in before:
            continue
        revisions = [revision["revisionId"] for revision in one.get("sourceRevisions", [])]
        version = next((revision for revision in revisions if revision in site.uploads), "")
        by_event = one.get("trigger", {}).get("triggerType") == "CloudWatchEvent"
        found.append(Ran(id_, one["status"], by_event, version, executions.execution(id_)))
    return found


def _jobs_of(site: Site, execution: str) -> dict[str, str]:
    digits, sagemaker = re.sub("[^0-9a-f]", "", execution)[:12], site.client("sagemaker")
    trained = sagemaker.list_training_jobs(NameContains=digits)["TrainingJobSummaries"]
    evaluated = sagemaker.list_processing_jobs(NameContains=digits)["ProcessingJobSummaries"]
    return {
        **{one["TrainingJobName"]: one["TrainingJobStatus"] for one in trained},
        **{f"{one['ProcessingJobName']} (processing)": one["ProcessingJobStatus"] for one in evaluated},
    }


def _answer(site: Site, endpoint: str) -> str:
    with contextlib.suppress(Exception):
        return str(predict(site.client, endpoint, [["1"]])[0])
    return ""
