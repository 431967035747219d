"""An execution of the pipeline: the actions of its stage DeployProduction, one after the other."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from place_variants.plan import Plan
from place_variants.production import Production, Wait
from place_variants.settings import Params
from place_variants.settle import Settle

from ab_soak.account import ARTIFACTS, DATA
from handler_kit.ab_store import Store
from handler_kit.errors import StepError, as_step_failure
from mlops_constructs.local_aws.codepipeline.actions.stack import Stack
from mlops_constructs.local_aws.codepipeline.state import ActionFailedError

if TYPE_CHECKING:
    from ab_soak.account import Account, Model

IN_PROGRESS, FAILED, SUCCEEDED, STOPPED = "InProgress", "Failed", "Succeeded", "Stopped"
NONE = "none"
CHANGE_SET = "release"
_WAIT_SECONDS, _MOST_WAITS = 10.0, 2000
_POLL_SECONDS = 0.05


class StuckError(Exception):
    """An action waits for ever."""


@dataclass
class Execution:
    """An execution.

    Attributes:
        model: Its model.
        fleet: The parameters of its fleet that are not as configured.
        release: Variable ``Release``.
        ab_test: Variable ``ABTest``.
        id: Its id.
        status: Its status.
        reason: Why it failed.
        done: How many of its actions have succeeded.
        change_sets: What PlaceVariants has computed.
        role: The role that PlaceVariants told.
    """

    model: Model
    fleet: dict[str, str] = field(default_factory=dict)
    release: str = NONE
    ab_test: str = NONE
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = IN_PROGRESS
    reason: str = ""
    done: int = 0
    change_sets: tuple[dict[str, str], ...] = ()
    role: str = ""

    @property
    def kind(self) -> str:
        """What it does."""
        return self.ab_test if self.ab_test != NONE else "release" if self.release == NONE else "rollback"

    def params(self, step: str) -> Params:
        """Return the parameters of an action of PlaceVariants."""
        model = self.model
        return Params(step, self.id, model.package, model.image, model.data, self.release, self.ab_test)


class Stage:
    """The stage DeployProduction of one pipeline."""

    def __init__(self, account: Account, name: str) -> None:
        """Deploy the pipeline of this name."""
        self._account, self.pipeline, self.production = account, name, f"{name}-production"
        self._actions = (
            self._clear,
            self._plan,
            self._change,
            self._change,
            self._smoke_test,
            self._settle,
            self._record,
        )

    def run(self, execution: Execution) -> None:
        """Go on with an execution where it is, to its end."""
        try:
            while execution.done < len(self._actions):
                self._actions[execution.done](execution)
                execution.done += 1
        except StepError as error:
            execution.status, execution.reason = FAILED, str(error)
        except (ClientError, BotoCoreError) as error:
            execution.status, execution.reason = FAILED, str(as_step_failure(error))
        except ActionFailedError as error:
            execution.status, execution.reason = FAILED, error.message
        else:
            execution.status, execution.reason = SUCCEEDED, ""

    def production_of(self) -> Production:
        """Return what PlaceVariants works on."""
        client = self._account.client
        store = Store(client("s3"), ARTIFACTS, self.pipeline)
        return Production(self.production, store, client("sagemaker"), client("cloudformation"), client("cloudwatch"))

    def request(self, parameters: dict[str, str]) -> dict[str, Any]:
        """Return the members that the requests of CloudFormation share."""
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
        return {"TemplateBody": self._account.template, "Parameters": given}

    def _clear(self, _: Execution) -> None:
        """Delete a stack that has never served, as RecordApproval does."""
        cloudformation, stack = self._account.client("cloudformation"), self.production_of().stack()
        if stack is not None:
            stack.check()
        if stack is not None and stack.never_served:
            cloudformation.delete_stack(StackName=stack.id)
            while self.production_of().stack() is not None:
                self._account.clock.sleep(0.0)

    def _plan(self, execution: Execution) -> None:
        static = {**self._account.static, "EndpointName": self.production, **execution.fleet}
        plan = Plan(self.production_of(), execution.params("plan"), self._account.document, static)
        planned = self._until_done(plan)
        execution.change_sets, execution.role = (planned.first, planned.second), planned.role

    def _settle(self, execution: Execution) -> None:
        self._until_done(Settle(self.production_of(), execution.params("settle"), self._account.document))

    def _until_done(self, step: Any) -> Any:
        for _ in range(_MOST_WAITS):
            found = step.run(self._account.clock.time())
            if not isinstance(found, Wait):
                return found
            self._account.clock.sleep(_WAIT_SECONDS)
        raise StuckError(f"{type(step).__name__} waits for ever: {found.summary}")

    def _change(self, execution: Execution) -> None:
        """Create a change set and execute it, as CodePipeline's actions do."""
        context: Any = SimpleNamespace(client=self._account.client, pause=lambda _: time.sleep(_POLL_SECONDS))
        stack = Stack(context, self.production)
        stack.replace_change_set(
            CHANGE_SET, self.request(execution.change_sets[execution.done - self._actions.index(self._change)])
        )
        stack.execute_change_set(CHANGE_SET)

    def _smoke_test(self, execution: Execution) -> None:
        """Ask the slot that serves the execution's model."""
        stack = self.production_of().stack()
        assert stack is not None
        wanted = (execution.model.image, execution.model.data)
        for slot in ("primary", "secondary"):
            prefix = slot.capitalize()
            if (stack.parameters[f"{prefix}Image"], stack.parameters[f"{prefix}ModelDataUrl"]) == wanted:
                answer = self.answer(slot)
                if answer != (execution.model.name, slot):
                    raise StepError(f"the smoke test found {answer}")
                return
        raise StepError("no slot serves the model of this execution")

    def answer(self, target: str | None = None) -> tuple[str, str]:
        """Invoke the endpoint; return what it says, and the variant."""
        more = {} if target is None else {"TargetVariant": target}
        answer = self._account.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=self.production, Body=b"1", ContentType="text/csv", **more
        )
        return answer["Body"].read().decode(), answer["InvokedProductionVariant"]

    def releases(self) -> list[dict[str, Any]]:
        """Return the records of releases, the oldest first."""
        s3, prefix = self._account.client("s3"), f"releases/{self.pipeline}/"
        listed = s3.list_objects_v2(Bucket=ARTIFACTS, Prefix=prefix).get("Contents", [])
        bodies = [s3.get_object(Bucket=ARTIFACTS, Key=one["Key"])["Body"].read() for one in listed]
        return sorted(map(json.loads, bodies), key=lambda record: record["release"])

    def _record(self, execution: Execution) -> None:
        """Write the record of the release, once."""
        before = self.releases()
        if execution.id in [one["execution_id"] for one in before]:
            return
        record = {
            "release": len(before) + 1,
            "execution_id": execution.id,
            "role": execution.role,
            "dataset": {"bucket": DATA, "key": "data.csv", "version_id": self._account.version},
            "model_data_url": execution.model.data,
            "model_package_arn": execution.model.package,
            "image": execution.model.image,
        }
        key, body = f"releases/{self.pipeline}/{len(before) + 1}.json", json.dumps(record).encode()
        self._account.client("s3").put_object(Bucket=ARTIFACTS, Key=key, Body=body, IfNoneMatch="*")
