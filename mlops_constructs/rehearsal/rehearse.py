"""All steps of a rehearsal, from an empty local AWS to a production endpoint that responds, and back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mlops_constructs.deployed.endpoints import endpoint_of, predict
from mlops_constructs.deployed.pipeline import DeployedPipeline
from mlops_constructs.deployed.scores import score
from mlops_constructs.deployed.teardown import Teardown
from mlops_constructs.errors import RehearsalError
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.local_aws.scratch import sweep
from mlops_constructs.rehearsal.choice import choose_pipeline
from mlops_constructs.rehearsal.early_builds import EarlyBuilds
from mlops_constructs.rehearsal.follow import Follower, must_succeed
from mlops_constructs.rehearsal.foreign_buckets import ForeignBuckets
from mlops_constructs.rehearsal.foreign_roles import ForeignRoles
from mlops_constructs.rehearsal.leftovers import leftovers
from mlops_constructs.rehearsal.region import region_of
from mlops_constructs.rehearsal.removal import self_deleting
from mlops_constructs.rehearsal.stand_ins import StandIns
from mlops_constructs.rehearsal.steps import Result, Steps
from mlops_constructs.rehearsal.terraform import Terraform, find_program, terraform_environment

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.deployed.executions import Execution
    from mlops_constructs.rehearsal.data import RehearsalData
    from mlops_constructs.rehearsal.progress import Watcher

_START_SECONDS = 30


class Rehearsal:
    """Runs a synthesized stack on this machine.

    Use it as a context manager: on exit, even by an error, it ends every process and deletes every folder it created.

    Attributes:
        aws: The local AWS.
        result: What it has come to so far.
        terraform: Terraform in the folder of the deployed stack; None before ``deploy``.
    """

    def __init__(
        self,
        stack: Path,
        data: RehearsalData,
        watcher: Watcher,
        *,
        pipeline: str | None = None,
        port: int = 0,
        docker: bool = True,
        iam: bool = True,
        stand_ins: StandIns | None = None,
    ) -> None:
        """Prepare a rehearsal.

        Args:
            stack: Folder of the synthesized stack, with ``cdk.tf.json``.
            data: The data set to upload.
            watcher: Shows the progress, and answers the approval.
            pipeline: Name of the pipeline to rehearse, or a prefix of it; needed where the stack has several.
            port: Loopback port of the local AWS; 0 uses a free one.
            docker: Run containers in a Docker engine when one responds.
            iam: Enforce the policies of the stack's roles at every call, as AWS does.
            stand_ins: Folders that replace images and repositories outside the account.
        """
        self._stack, self._data, self._watcher = stack, data, watcher
        self._program = find_program()
        self._pipeline = pipeline
        self._stand_ins = StandIns() if stand_ins is None else stand_ins
        self.aws = LocalAws(port=port, region=region_of(stack), docker=docker, iam=iam)
        self.result = Result(iam=iam)
        self._steps = Steps(self.result, watcher)
        self.terraform: Terraform | None = None
        self._deployed: DeployedPipeline | None = None
        self._foreign_buckets = ForeignBuckets(stack, self.aws)
        self._foreign_roles = ForeignRoles(stack, self.aws)
        self._early_builds = EarlyBuilds(self.aws, stack)

    def __enter__(self) -> Rehearsal:
        self.aws.start()
        try:
            self.aws.add_listener(self._watcher.log)
            for folder in sweep():
                self.aws.log(f"deleted {folder}, left by a process that was killed")
            self._stand_ins.install(self.aws)
        except BaseException:
            self.aws.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.terraform is not None:
            self.terraform.close()
        self.aws.close()
        self._early_builds.join()

    def deploy(self) -> DeployedPipeline:
        """Apply the stack, and check that a second plan shows no changes."""
        environment = terraform_environment(self.aws.url, self.aws.region, self.aws.workdir)
        terraform = Terraform(
            # A name with a dot: it is no part of what `--keep` keeps of the account.
            self.aws.workdir / ".terraform-stack",
            environment,
            self.aws.account.processes,
            on_event=self._on_terraform,
            program=self._program,
        )
        self.terraform = terraform
        terraform.prepare(self._stack)
        self._foreign_buckets.make()
        self._foreign_roles.make()
        with self._steps.step("Terraform", "init") as say:
            say(terraform.init())
        with self._steps.step("Terraform", "validate"):
            terraform.validate()
        self._early_builds.start()
        with self._steps.step("Terraform", "apply") as say:
            terraform.apply()
            say(f"{len(terraform.resources())} resources")
        with self._steps.step("Terraform", "second plan") as say:
            changes = terraform.drift()
            if changes:
                raise RehearsalError(
                    "the stack is not stable: right after the apply, a second plan would change\n  "
                    + "\n  ".join(changes)
                )
            say("no changes")
        self._deployed = choose_pipeline(self.aws.client, self._pipeline)
        return self._deployed

    def build_image(self) -> None:
        """Follow the first build of the algorithm's image, which CodePipeline starts by itself.

        A connection that the stack has created is completed first, and its build started, as a person would. An image
        that is not built must be available on this machine.
        """
        name = self._stage_set().image_pipeline
        if name is None:
            self._replace_images()
            return
        with self._steps.step("Image", "container runtime") as say:
            say(self.aws.containers.choice)
        with self._steps.timed("image pipeline"):
            follower = self._follower(name)
            known = self._complete_connections(name, follower)
            outcome = follower.follow(follower.wait_for_start(known, _START_SECONDS))
        must_succeed(outcome)

    def _replace_images(self) -> None:
        """Require the images that train and serve on this machine; those of AWS's frameworks are replaced."""
        uris = self._stage_set().images()
        for uri in self._stand_ins.missing_images(self.aws, uris):
            with self._steps.step("Image", uri.rpartition("/")[2]) as say:
                say(self._stand_ins.replace(self.aws, uri))

    def run(self) -> Execution:
        """Upload the data set, and follow the execution that its event starts.

        Raises:
            RehearsalError: with stage, action and reason, when the execution does not succeed.
        """
        deployed = self._stage_set()
        follower = self._follower(deployed.name)
        self._settle(follower)
        known = follower.executions.ids()
        with self._steps.step("Data", "upload") as say:
            key = self._data.upload_to(deployed)
            say(f"s3://{deployed.data_bucket}/{key}")
        with self._steps.timed("ML pipeline"):
            self.result.pipeline = deployed.name
            self.result.execution_id = follower.wait_for_start(known, _START_SECONDS)
            outcome = follower.follow(self.result.execution_id)
        must_succeed(outcome)
        return outcome

    def ask_production(self) -> None:
        """Predict the held-out rows with the production endpoint."""
        endpoint = self.result.production_endpoint = endpoint_of(self._stage_set(), self._stage_set().stacks[-1])
        if not (rows := self._data.holdout):
            return
        with self._steps.step("Production", "held-out rows") as say:
            found = score([row[0] for row in rows], predict(self.aws.client, endpoint, [row[1:] for row in rows]))
            self.result.rows, self.result.metrics = found.rows, found.metrics
            say(str(found))

    def destroy(self) -> None:
        """Tear everything down; raise RehearsalError when something is left.

        A pipeline with ``removal="destroy"`` deletes by itself what it has made.
        """
        terraform = self.terraform
        assert terraform is not None
        pipelines, alone = DeployedPipeline.read_all(self.aws.client), self_deleting(self._stack)
        if {one.name for one in pipelines} - alone:
            with self._steps.step("Pipelines", "teardown") as say:
                # What `mlops teardown --data --yes` does.
                teardowns = [Teardown(one, data=True) for one in pipelines if one.name not in alone]
                made = [one for teardown in teardowns for one in teardown.run()]
                say(f"{len(made)} things that Terraform does not know are deleted")
        with self._steps.step("Terraform", "destroy") as say:
            terraform.destroy()
            self._foreign_buckets.delete()
            self._foreign_roles.delete()
            left = leftovers(self.aws.client)
            if left:
                raise RehearsalError("terraform destroy left behind:\n  " + "\n  ".join(left))
            say("nothing is left")

    def _complete_connections(self, pipeline: str, follower: Follower) -> set[str]:
        """Return the executions before the first one that can read the code."""
        completed = self._stand_ins.complete_connections(self.aws)
        if not completed:
            return set()
        with self._steps.step("Image", "connection") as say:
            say(f"{', '.join(completed)} completed, as a person does in the console")
            self._settle(follower)
            known = follower.executions.ids()
            self.aws.client("codepipeline").start_pipeline_execution(name=pipeline)
        return known

    def _settle(self, follower: Follower) -> None:
        """Wait for the execution that CodePipeline has started by itself; without data it fails at once."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if all(execution["status"] != "InProgress" for execution in follower.executions.newest()):
                return
            time.sleep(0.1)

    def _stage_set(self) -> DeployedPipeline:
        assert self._deployed is not None, "call deploy() first"
        return self._deployed

    def _follower(self, pipeline: str) -> Follower:
        return Follower(self.aws.client, pipeline, self._watcher, time.sleep)

    def _on_terraform(self, event: dict[str, Any]) -> None:
        if event["type"] in ("apply_complete", "apply_errored"):
            self._watcher.log(str(event["@message"]))
