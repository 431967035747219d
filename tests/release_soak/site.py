"""The deployed pipeline of a soak: what people do with it, and what it has told them."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from local_aws.tiny_pipeline import wait_for
from patience import PATIENCE_SECONDS
from rehearsal.deployed_site import synthesized
from soaks import shorten_the_way

from mlops_constructs.deployed.pause import Pause
from mlops_constructs.deployed.releases import Releases
from mlops_constructs.errors import MlopsError
from mlops_constructs.local_aws.faults.faults import Faults
from mlops_constructs.rehearsal.data import RehearsalData
from mlops_constructs.rehearsal.rehearsed import rehearsed_pipeline
from release_soak import rest
from release_soak.container import write_container

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_constructs.local_aws.faults.fault import Fault
    from mlops_constructs.rehearsal.rehearsed import RehearsedPipeline

GOOD = "0.95"
_RECEIVED = 10
_LOOK_SECONDS = 1.0
_ENDED = "CodePipeline Pipeline Execution State Change"
_ALARM = "CloudWatch Alarm State Change"


class Site:
    """It.

    Attributes:
        uploads: By version of the uploaded manifest: the name of its model, and what its evaluation says.
        jobs: Execution, by 12 hex digits, to its training and processing jobs by name.
        mails: Subject and text of what people got.
        lost: Invocations and events that were given up, each of which must be in the dead-letter queue.
        events: What EventBridge has delivered: what may come again.
        failed: How many executions have failed.
        changes: State changes of alarms: name, new state, and whether the pipeline's key, and so its topic, could be
            used then.
    """

    def __init__(self, pipeline: RehearsedPipeline) -> None:
        """Take the deployed pipeline, and subscribe a person to its topic."""
        self.pipeline, self.aws, self.client = pipeline, pipeline.aws, pipeline.aws.client
        self.deployed = pipeline.deployed
        self.uploads: dict[str, tuple[str, str]] = {}
        self.mails: list[tuple[str, str]] = []
        self.lost: list[str] = []
        self.events: list[dict[str, Any]] = []
        self.failed = 0
        self.changes: list[tuple[str, str, bool]] = []
        self.faults = Faults(self.aws)
        self._records: dict[tuple[str, str], dict[str, Any]] = {}
        self._damaged: dict[str, bytes] = {}
        self._image = self.client("ssm").get_parameter(Name=f"/{self.name}/image")["Parameter"]
        self.aws.lambda_.on_failure(lambda name, _, reason: self.lost.append(f"{name}: {reason}"))
        # The first execution, which CodePipeline starts without data, has failed before anybody could be told.
        alarms = self.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
        self._rang_before = {one["AlarmName"] for one in alarms}
        self.aws.account.subscribe(self._note)
        self._mailbox = self.client("sqs").create_queue(QueueName="people")["QueueUrl"]
        arn = self.aws.account.arn("sqs", "people")
        (topic,) = self.topics()
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    @property
    def name(self) -> str:
        """Name of the pipeline."""
        return self.deployed.name

    @property
    def dev(self) -> str:
        """Name of the stack of DEV."""
        return self.deployed.stacks[0]

    @property
    def production(self) -> str:
        """Name of the stack of production."""
        return self.deployed.stacks[-1]

    def topics(self) -> list[str]:
        """Return the topics of the account."""
        return [one["TopicArn"] for one in self.client("sns").list_topics()["Topics"]]

    def _note(self, event: dict[str, Any]) -> None:
        detail = event["detail"]
        if event["detail-type"] == _ENDED and (detail["pipeline"], detail["state"]) == (self.name, "FAILED"):
            self.failed += 1
        if event["detail-type"] == _ALARM:
            with_key = self._key()["KeyState"] == "Enabled"
            self.changes.append((detail["alarmName"], detail["state"]["value"], with_key))
            if detail["alarmName"] in self._rang_before:
                # Only from now on does it ring again.
                self._rang_before.discard(detail["alarmName"])
                self.failed = 0
        if event["detail-type"] == "Object Created" and not event["detail"]["object"]["key"].startswith(
            self.deployed.prefix
        ):
            return
        self.events.append(event)
        del self.events[:-200]

    def upload(self, model: str, says: str) -> str:
        """Upload a data set whose model has this name, and whose evaluation says this; return its version."""
        s3, bucket, folder = self.client("s3"), self.deployed.data_bucket, f"data/{model}"
        bodies = {"train": f"{model},1\nother,2\n", "test": f"x{says.encode().hex()},1\n", "golden": f"{model},1\n"}
        for name, body in bodies.items():
            s3.put_object(Bucket=bucket, Key=f"{folder}/{name}.csv", Body=body.encode())
        manifest = {
            "channels": {name: [f"{folder}/{name}.csv"] for name in ("train", "test")},
            "golden": {"key": f"{folder}/golden.csv"},
        }
        body = json.dumps(manifest).encode()
        version = str(s3.put_object(Bucket=bucket, Key=f"{self.deployed.prefix}set.json", Body=body)["VersionId"])
        self.uploads[version] = (model, says)
        return version

    def settle(self) -> bool:
        """Wait until nothing happens by itself; False when that takes too long."""
        return rest.wait_for_rest(self.aws)

    def answer(self, *, approve: bool) -> list[str]:
        """Answer the approval that waits, as a person does; return its execution."""
        codepipeline, answered = self.client("codepipeline"), []
        for execution in rest.waiting(self.aws):
            run = next(one for one in reversed(execution.history) if one.approval is not None)
            assert run.approval is not None
            answered.append(execution.id)
            result = {"status": "Approved" if approve else "Rejected", "summary": "a test"}
            with contextlib.suppress(ClientError):
                codepipeline.put_approval_result(
                    pipelineName=self.name,
                    stageName=run.stage,
                    actionName=run.name,
                    token=run.approval.token,
                    result=result,
                )
        return answered

    def retry(self, execution: str, stage: str, mode: str) -> str:
        """Retry a stage; return why AWS refuses it, empty when it does not."""
        try:
            self.client("codepipeline").retry_stage_execution(
                pipelineName=self.name, pipelineExecutionId=execution, stageName=stage, retryMode=mode
            )
        except ClientError as error:
            return str(error)
        return ""

    def releases(self) -> Releases:
        """Return the client of the records."""
        return Releases(self.deployed)

    def state_of_production(self) -> str:
        """Return the status of production's stack, or what somebody has deleted of it; empty when there is none."""
        stack, sagemaker = self.aws.cloudformation.live_stack(self.production), self.client("sagemaker")
        resources = [] if stack is None else list(stack.resources.values())
        name = next((one.physical_id for one in resources if one.type == "AWS::SageMaker::Endpoint"), "")
        try:
            if name:
                found = sagemaker.describe_endpoint(EndpointName=name.rpartition("/")[2])
                sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
        except ClientError as error:
            return f"incomplete: {error}"
        return "" if stack is None else stack.status

    def records(self) -> list[dict[str, Any]]:
        """Return the release records, newest first; of one that cannot be read, only its number."""
        s3, bucket, prefix = self.client("s3"), self.deployed.artifact_bucket, f"releases/{self.name}/"
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        found = []
        for one in (one for page in pages for one in page.get("Contents", [])):
            known = (one["Key"], one["ETag"])
            if known not in self._records:
                body = s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
                number = int(one["Key"].removeprefix(prefix).removesuffix(".json"))
                self._records[known] = {**_parsed(body), "release": number}
            found.append(self._records[known])
        return sorted(found, key=lambda record: -int(record["release"]))

    def damage_record(self) -> bool:
        """Damage the newest record; False when there is none."""
        for record in self.records()[:1]:
            s3, bucket = self.client("s3"), self.deployed.artifact_bucket
            key = f"releases/{self.name}/{record['release']}.json"
            before = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            self._damaged.setdefault(key, before)
            s3.put_object(Bucket=bucket, Key=key, Body=before[: len(before) // 2])
        return bool(self._damaged)

    def restore_records(self) -> None:
        """Let damaged records be what they were."""
        for key, body in self._damaged.items():
            self.client("s3").put_object(Bucket=self.deployed.artifact_bucket, Key=key, Body=body)
        self._damaged.clear()

    @property
    def record_damaged(self) -> bool:
        """Whether a record is damaged."""
        return bool(self._damaged)

    def stack(self, name: str) -> dict[str, Any] | None:
        """Describe a stack; None when there is none."""
        try:
            found: dict[str, Any] = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        except ClientError:
            return None
        return found

    def read_mail(self) -> list[tuple[str, str]]:
        """Read what has come to people, and keep it."""
        sqs = self.client("sqs")
        while True:
            answer = sqs.receive_message(QueueUrl=self._mailbox, MaxNumberOfMessages=_RECEIVED)
            messages = answer.get("Messages", [])
            for one in messages:
                body = json.loads(one["Body"])
                self.mails.append((str(body.get("Subject")), str(body["Message"])))
                sqs.delete_message(QueueUrl=self._mailbox, ReceiptHandle=one["ReceiptHandle"])
            if not messages:
                return self.mails

    def _dead_letters(self) -> str:
        urls = self.client("sqs").list_queues()["QueueUrls"]
        return str(next(one for one in urls if one.rpartition("/")[2].startswith(self.name)))

    def dead_letters(self) -> int:
        """Count what is in the dead-letter queue."""
        sqs = self.client("sqs")
        found = sqs.get_queue_attributes(QueueUrl=self._dead_letters(), AttributeNames=["ApproximateNumberOfMessages"])
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    def resume(self, told: list[str]) -> None:
        """Run `mlops resume`."""
        try:
            told.append(f"   mlops resume: {Pause(self.deployed, poll_seconds=0.1).resume(self.production)}")
        except MlopsError as error:
            told.append(f"   mlops resume: {error}")

    def enable_key(self) -> None:
        """Enable the pipeline's key again."""
        kms, key = self.client("kms"), self._key()
        if key["KeyState"] == "PendingDeletion":
            kms.cancel_key_deletion(KeyId=key["KeyId"])
        kms.enable_key(KeyId=key["KeyId"])

    def _key(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("kms").describe_key(KeyId=f"alias/{self.name}")["KeyMetadata"]
        return found

    def end_update(self) -> None:
        """Let an update of production that takes long come to its end."""
        stack = self.aws.cloudformation.live_stack(self.production)
        if stack is not None and stack.in_progress:
            stack.move_to("UPDATE_COMPLETE", "")

    def silent(self) -> str:
        """Wait for the alarms of what has gone wrong, which are evaluated every minute; return which have not come.

        One that rang only while the key was disabled could notify nobody, and one that has been in ALARM since before
        there was anybody notifies nobody again: as on AWS.
        """
        wanted = {
            f"{self.name}-failed-executions": self.failed,
            self._dead_letters().rpartition("/")[2]: self.dead_letters(),
        }
        untold = {name for name, count in wanted.items() if count}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while untold and time.monotonic() < deadline:
            told = [text for subject, text in self.read_mail() if "ALARM" in subject]
            untold = {name for name in untold if not any(name in text for text in told) and not self._mute(name)}
            time.sleep(_LOOK_SECONDS)
        return f"no alarm has notified people of {sorted(untold)}; what changed: {self.changes}" if untold else ""

    def _mute(self, alarm: str) -> bool:
        """Whether each time that an alarm rang nobody could be told."""
        rang = [with_key for name, state, with_key in self.changes if (name, state) == (alarm, "ALARM")]
        return not any(rang) if rang else alarm in self._rang_before

    def processes_left(self) -> str:
        """Name the processes of a local AWS that has closed: I12, nothing outlives it."""
        left, url = [], self.aws.url.encode() + b"\0"
        for environ in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if url in environ.read_bytes() and environ.parent.name != str(os.getpid()):
                    left.append(environ.parent.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode())
        return f"these processes are left: {left}" if left else ""

    def reset(self) -> None:
        """Come back to a pipeline that can release, after a run that has failed: without endpoints."""
        self.faults.clear()
        self.enable_key()
        self.restore_records()
        given = {key: self._image[key] for key in ("Name", "Value", "Type")}
        self.client("ssm").put_parameter(**given, Overwrite=True)
        self.aws.lambda_.end_idle()
        for execution in rest.executions(self.aws):
            with contextlib.suppress(ClientError):
                self.client("codepipeline").stop_pipeline_execution(
                    pipelineName=execution.pipeline_name, pipelineExecutionId=execution.id, abandon=True
                )
        self.stop_jobs()
        for stack in (self.dev, self.production):
            wait_for(lambda stack=stack: self._without(stack))

    def _without(self, name: str) -> bool:
        """Delete a stack, if need be without what somebody has deleted of it; return whether it is gone."""
        self.settle_stack(name)
        stack = self.aws.cloudformation.live_stack(name)
        forced = {"DeletionMode": "FORCE_DELETE_STACK"} if stack is not None and stack.status == "DELETE_FAILED" else {}
        self.client("cloudformation").delete_stack(StackName=name, **forced)
        self.settle_stack(name)
        return self.aws.cloudformation.live_stack(name) is None

    def stop_jobs(self) -> None:
        """Stop the training jobs that run, as a person does who reads the dead-letter queue."""
        sagemaker = self.client("sagemaker")
        for job in sagemaker.list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]:
            sagemaker.stop_training_job(TrainingJobName=job["TrainingJobName"])

    def settle_stack(self, name: str) -> None:
        """Wait until a stack is not changed any more."""
        wait_for(lambda: (stack := self.aws.cloudformation.live_stack(name)) is None or not stack.in_progress)

    def inject(self, text: str) -> Fault:
        """Inject a fault."""
        return self.faults.inject(text.replace("{production}", self.production).replace("{pipeline}", self.name))


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def deployed_site() -> Iterator[Site]:
    """Synthesize the app, deploy it, and let its image be built."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        place = Path(folder)
        container = write_container(place / "container")
        program = synthesized(Path(__file__).with_name("app.py"), place / "out", str(container))
        with rehearsed_pipeline(program, RehearsalData("set", {}, []), docker=False) as pipeline:
            shorten_the_way(pipeline.aws)
            site = Site(pipeline)
            site.settle()
            yield site
