"""The names of a pipeline and of what it uses: with placeholders for them, one pipeline's requests fit another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from iam_mutation.modes import Serving
from iam_mutation.requests import PLACEHOLDER, steady
from iam_mutation.stacks import ACCOUNT
from mlops_constructs.config.existing import Existing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from iam_mutation.stacks import Stack
    from mlops_constructs.local_aws.iam.documents import Policy


@dataclass(frozen=True)
class Pipeline:
    """One ML pipeline of a stack.

    Attributes:
        name: Its name.
        region: Region of the stack.
        roles: Purpose to ARN, of the roles that it has; some may be handed in.
        key: ARN of its KMS key.
        artifacts: Name of its artifact bucket.
        data: Name of the bucket of its data sets.
        prefix: What the keys of its data sets begin with.
        folders: ARNs of the folders that data sets may be read from.
        dead_letters: ARN of its dead-letter queue.
        image: ARN of the repository that its image is pulled from.
        topic: ARN of the topic of its approvals.
        repository: ARN of its CodeCommit repository; empty when it has none.
        connection: ARN of the connection to its repository; empty when it has none.
        subnet: Id of one of its subnets; empty when it is in no VPC.
        security_group: Id of one of its security groups.
        job: ARN of a job that trains: a training or a tuning job.
        looks_for_duplicates: Whether it looks for content that was trained before.
        instance_types: Purpose of a role to the instance types that it may start.
        serving: ``dev`` and ``production`` to how they serve.
    """

    name: str
    region: str
    roles: Mapping[str, str]
    key: str
    artifacts: str
    data: str
    prefix: str
    folders: Sequence[str]
    dead_letters: str
    image: str
    topic: str
    repository: str
    connection: str
    subnet: str
    security_group: str
    job: str
    looks_for_duplicates: bool
    instance_types: Mapping[str, Sequence[str]]
    serving: Mapping[str, Serving]

    @property
    def label(self) -> str:
        """Name and region: pipelines of different programs may have the same name."""
        return f"{self.name} in {self.region}"

    def arn(self, service: str, resource: str) -> str:
        """Give the ARN of a resource of this account and region."""
        return f"arn:aws:{service}:{self.region}:{ACCOUNT}:{resource}"

    def role(self, purpose: str) -> str:
        """Give the ARN of a role, also of one that the pipeline does not have."""
        made = f"arn:aws:iam::{ACCOUNT}:role/{self.name}-{purpose}-{self.region}"
        return self.roles.get(purpose, made)

    def generic(self, text: str) -> str:
        """Put placeholders in the place of names."""
        for value, placeholder in self._names:
            text = text.replace(value, placeholder)
        return text

    def specific(self, text: str) -> str:
        """Put names in the place of placeholders; a name that the pipeline does not have stays one."""
        for value, placeholder in (*self._names, *self._settings):
            text = text.replace(placeholder, value)
        return text

    def unnamed(self, text: str) -> int:
        """Count the characters of a text that are in no name of the pipeline."""
        return len(PLACEHOLDER.sub("", self.generic(text)))

    @cached_property
    def _names(self) -> tuple[tuple[str, str], ...]:
        """Names and placeholders; a name that contains others comes before them."""
        return tuple(sorted(self._all_names(), key=lambda pair: (-len(pair[0]), pair)))

    def _all_names(self) -> Iterator[tuple[str, str]]:
        yield from ((arn, f"{{role: {purpose}}}") for purpose, arn in self.roles.items())
        yield self.key, "{key}"
        yield self.dead_letters, "{dead letters}"
        yield self.image, "{image}"
        yield self.topic, "{topic}"
        yield f":::{self.artifacts}", ":::{artifacts}"
        yield f":::{self.data}", ":::{data}"
        yield self.job, "{tuning job}" if ":hyper-parameter-tuning-job/" in self.job else "{training job}"
        yield self.name, "{pipeline}"
        yield self.region, "{region}"
        some = {"{repository}": self.repository, "{connection}": self.connection}
        yield from ((value, placeholder) for placeholder, value in some.items() if value)

    @property
    def _settings(self) -> Iterator[tuple[str, str]]:
        some = {"{subnet}": self.subnet, "{security group}": self.security_group, "{prefix}": self.prefix}
        some["{trained}"] = "trained" if self.looks_for_duplicates else ""
        some["{existing queue}"] = "" if f":{self.name}-" in self.dead_letters else self.dead_letters
        for stage, serving in self.serving.items():
            some |= serving.placeholders(stage, self.key)
        yield from ((value, placeholder) for placeholder, value in some.items() if value)


def pipelines_of(stack: Stack, policies: Mapping[str, Sequence[Policy]]) -> Iterator[Pipeline]:
    """Give the ML pipelines of a stack.

    Args:
        stack: The stack.
        policies: ARNs of its roles, and their policies.
    """
    delivering = {stack.text(one["name"]): one for one in stack.all("aws_codepipeline").values()}
    names = sorted(name for name in delivering if not name.endswith("-image"))
    handed_in = [arn for arn in policies if not any(f"/{name}-" in arn for name in names)]
    functions = {stack.text(each["function_name"]): each for each in stack.all("aws_lambda_function").values()}
    topics = [stack.arn("aws_sns_topic", id_) for id_ in stack.all("aws_sns_topic")]
    for name in names:
        store = delivering[name]["artifact_store"][0]
        source = delivering[name]["stage"][0]["action"][0]["configuration"]
        roles = dict(_roles(name, stack.region, policies, handed_in))
        training = functions[f"{name}-train-model"]
        settings, checking = (_settings(stack, functions[f"{name}-{one}"]) for one in ("train-model", "check-dataset"))
        parameters = json.loads(_settings(stack, functions[f"{name}-register-model"])["STACK_PARAMETERS"])
        image_source = delivering.get(f"{name}-image", delivering[name])["stage"][0]["action"][0]["configuration"]
        yield Pipeline(
            name=name,
            region=stack.region,
            roles=roles,
            key=stack.text(store["encryption_key"]["id"]),
            artifacts=stack.text(store["location"]),
            data=stack.text(source["S3Bucket"]),
            prefix=source["S3ObjectKey"].removesuffix("manifest.json"),
            folders=[one.replace("s3://", "arn:aws:s3:::") for one in checking["READABLE"].split()],
            dead_letters=stack.text(training["dead_letter_config"]["target_arn"]),
            image=_pulled(policies[roles["train-model"]]),
            topic=next(arn for arn in topics if f":{name}-" in arn),
            repository=_codecommit(stack, image_source.get("RepositoryName", "")),
            connection=stack.text(image_source.get("ConnectionArn", "")),
            subnet=steady(settings["SUBNET_IDS"].partition(",")[0]),
            security_group=steady(settings["SECURITY_GROUP_IDS"].partition(",")[0]),
            job=_job(stack, _settings(stack, functions[f"{name}-stop-training"])),
            looks_for_duplicates=checking["DUPLICATES"] != "allow",
            instance_types={purpose: _instance_types(policies[arn]) for purpose, arn in roles.items()},
            serving={stage: Serving.of(parameters[stage], policies[roles[f"deploy-{stage}"]]) for stage in parameters},
        )


def _settings(stack: Stack, function: Mapping[str, Any]) -> dict[str, str]:
    return {key: stack.text(value) for key, value in function["environment"]["variables"].items()}


def _roles(
    name: str, region: str, made: Mapping[str, Sequence[Policy]], handed_in: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Give the roles of a pipeline by purpose; those of a central team end with it."""
    own = {purpose: f"arn:aws:iam::{ACCOUNT}:role/{name}-{purpose}-{region}" for purpose in Existing.ROLES}
    if own["pipeline"] in made:
        yield from ((purpose, arn) for purpose, arn in own.items() if arn in made)
        return
    for purpose in own:
        found = min((arn for arn in handed_in if arn.endswith(f"-{purpose}")), key=len)
        if made[found]:
            yield purpose, found


def _pulled(policies: Iterable[Policy]) -> str:
    """Give the repository in which train_model resolves a tag."""
    statements = (statement for policy in policies for statement in policy.statements)
    resources = (one.resources for one in statements if "ecr:BatchGetImage" in one.actions.values)
    return next(resource.values[0] for resource in resources if resource is not None)


def _instance_types(policies: Iterable[Policy]) -> list[str]:
    statements = (statement for policy in policies for statement in policy.statements)
    conditions = (condition for statement in statements for condition in statement.conditions)
    types = (one.values for one in conditions if one.key == "sagemaker:InstanceTypes" and one.operator.name != "Null")
    return list(dict.fromkeys(value for values in types for value in values))


def _job(stack: Stack, settings: Mapping[str, str]) -> str:
    kind = {"training": "training-job", "tuning": "hyper-parameter-tuning-job"}[settings["JOB_KIND"]]
    return f"arn:aws:sagemaker:{stack.region}:{ACCOUNT}:{kind}/{settings['JOB_PREFIX']}-HEX"


def _codecommit(stack: Stack, name: str) -> str:
    return f"arn:aws:codecommit:{stack.region}:{ACCOUNT}:{stack.text(name)}" if name else ""
