"""Deployed pipelines, and what Terraform would do to them if their program were another one."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_constructs import MLOpsPipeline
from mlops_constructs.local_aws.local_aws import LocalAws
from mlops_constructs.provider import AwsProvider
from mlops_constructs.rehearsal.foreign_roles import ForeignRoles
from mlops_constructs.rehearsal.terraform import Terraform, terraform_environment
from option_changes import bases
from option_changes.options import ID

from cdktf import App, TerraformStack  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


STACK = "stack"
_STATE = "terraform.tfstate"
_DOCUMENT = "cdk.tf.json"
# What only says that an object or a function has another content: no provider replaces anything for it.
_CONTENTS = ("content", "source", "source_code_hash", "source_hash")


def synthesize(output: Path, arguments: Mapping[str, Any], id_: str = ID, name: str = STACK) -> Path:
    """Synthesize a stack with one pipeline; give the folder of the stack."""
    app = App(outdir=str(output))
    stack = TerraformStack(app, name)
    AwsProvider(stack, "aws", region=bases.REGION)
    MLOpsPipeline(stack, id_, **arguments)
    app.synth()
    return output / "stacks" / name


@dataclass(frozen=True)
class Deployed:
    """A base, as it was deployed.

    Attributes:
        folder: Its working folder, with state and provider.
        document: What was applied.
    """

    folder: Path
    document: dict[str, Any]


class Site:
    """The local AWS in which the bases are deployed, each with a state of its own."""

    def __init__(self, aws: LocalAws, scratch: Path) -> None:
        """Prepare; nothing is deployed yet."""
        self.aws, self._scratch = aws, scratch
        self._keys = _make_what_exists(aws)
        self._known: dict[str, list[str]] = {}
        self._terraforms: dict[str, Terraform] = {}

    def terraform(self, name: str) -> Terraform:
        """Give Terraform in a folder of its own."""
        if name not in self._terraforms:
            environment = terraform_environment(self.aws.url, self.aws.region, self.aws.workdir)
            folder = self._scratch / name
            self._terraforms[name] = Terraform(
                folder, environment, self.aws.account.processes, on_event=lambda event: None
            )
        return self._terraforms[name]

    def deploy(self, arguments: Mapping[str, Any], name: str) -> Deployed:
        """Apply a pipeline over what is in the folder already; give a copy of what the state is then."""
        stack = self.apply(arguments, ID, name)
        kept = Path(tempfile.mkdtemp(dir=self._scratch))
        shutil.copy(self.terraform(name).folder / _STATE, kept)
        return Deployed(kept, json.loads((stack / _DOCUMENT).read_text(encoding="utf-8")))

    def apply(self, arguments: Mapping[str, Any], id_: str, name: str) -> Path:
        """Apply a pipeline over what is in the folder already; give the folder of the stack."""
        stack = self.synthesized(arguments, id_)
        terraform = self.terraform(name)
        is_new = not terraform.folder.exists()
        terraform.prepare(stack)
        if is_new:
            ForeignRoles(stack, self.aws).make()
            terraform.init()
        terraform.apply()
        return stack

    def planned(self, deployed: Deployed, arguments: Mapping[str, Any], id_: str, planner: str) -> list[str]:
        """Give action and address of everything that Terraform would do to what is deployed.

        A plan is made once for all arguments that are the same to Terraform, up to the contents of archives.
        """
        stack = self.synthesized(arguments, id_)
        document = json.loads((stack / _DOCUMENT).read_text(encoding="utf-8"))
        key = json.dumps([str(deployed.folder), _without_contents(document, deployed.document)], sort_keys=True)
        if key not in self._known:
            terraform = self.terraform(planner)
            shutil.copy(deployed.folder / _STATE, terraform.folder)
            shutil.copy(stack / _DOCUMENT, terraform.folder)
            self._known[key] = terraform.drift(refresh=False)
        shutil.rmtree(stack.parents[1])
        return self._known[key]

    def synthesized(self, arguments: Mapping[str, Any], id_: str = ID) -> Path:
        """Synthesize into a folder of the site; the keys are those that exist in it."""
        stack = synthesize(Path(tempfile.mkdtemp(dir=self._scratch)), arguments, id_)
        text = (stack / _DOCUMENT).read_text(encoding="utf-8")
        for key, made in self._keys.items():
            text = text.replace(key, made)
        (stack / _DOCUMENT).write_text(text, encoding="utf-8")
        return stack

    def close(self) -> None:
        """End what runs."""
        for terraform in self._terraforms.values():
            terraform.close()


@contextlib.contextmanager
def site() -> Iterator[Site]:
    """Give a site with what exists before any pipeline."""
    with tempfile.TemporaryDirectory(prefix="c") as scratch, LocalAws(region=bases.REGION, docker=False) as aws:
        made = Site(aws, Path(scratch))
        try:
            yield made
        finally:
            made.close()


def _make_what_exists(aws: LocalAws) -> dict[str, str]:
    """Create what exists before any pipeline; give each key of the bases as it is named here."""
    for bucket in bases.BUCKETS:
        aws.client("s3").create_bucket(Bucket=bucket)
    for queue in (bases.QUEUE, bases.OTHER_QUEUE):
        aws.client("sqs").create_queue(QueueName=_name(queue))
    for topic in (bases.TOPIC, bases.OTHER_TOPIC):
        aws.client("sns").create_topic(Name=_name(topic))
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    for role in (bases.ROLE, bases.OTHER_ROLE):
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        aws.client("iam").create_role(RoleName=_name(role), AssumeRolePolicyDocument=policy)
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    for boundary in (bases.BOUNDARY, bases.OTHER_BOUNDARY):
        policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
        aws.client("iam").create_policy(PolicyName=_name(boundary), PolicyDocument=policy)
    keys = (bases.KEY, bases.OTHER_KEY)
    return {key: aws.client("kms").create_key()["KeyMetadata"]["Arn"] for key in keys}


def _name(arn: str) -> str:
    return re.split("[:/]", arn)[-1]


def _without_contents(now: Any, before: Any) -> Any:
    """Give a document in which changed contents are only said to be other ones."""
    if not isinstance(now, dict) or not isinstance(before, dict):
        return now
    same: dict[str, Any] = {}
    for key, value in now.items():
        is_other = key in _CONTENTS and key in before and value != before[key]
        same[key] = "other" if is_other else _without_contents(value, before.get(key))
    return same
