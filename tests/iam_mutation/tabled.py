"""What AWS's tables say that roles need, whether or not a rehearsal came to it.

CloudFormation's handlers do more in an update or at the removal of a stack than a first release shows.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from iam_mutation.calls import calls, optional_calls
from iam_mutation.jobs import started
from iam_mutation.requests import Recorded
from iam_mutation.stacks import ACCOUNT
from iam_mutation.uses import optional_uses, uses
from mlops_constructs.local_aws.iam.calls import Call, Check, Site
from mlops_constructs.local_aws.iam.handlers import HANDLERS, handler_checks
from mlops_constructs.local_aws.iam.integrations import checks_with_callers_rights
from mlops_constructs.local_aws.iam.request import Context

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iam_mutation.modes import Serving
    from iam_mutation.pipelines import Pipeline
    from iam_mutation.programs import Program

_TAG = "mlops:pipeline"
# What a serverless endpoint's template has.
_SERVERLESS = ("AWS::SageMaker::Endpoint", "AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Model")


def tabled(program: Program) -> Iterator[Recorded]:
    """Give what services do with the roles and resources of a stack, and what its functions do when something fails."""
    yield from _of_groups(program, (*uses(), *calls()))
    for pipeline in program.pipelines:
        rows = [*started(pipeline), *_data_sets(pipeline)]
        for stage in ("dev", "production"):
            for check in _checks(pipeline, stage):
                context = tuple((key, values) for key, values in check.context.items())
                rows.append(Recorded(pipeline.role(f"deploy-{stage}"), check.action, check.resource, context))
        yield from filter(program.concerns, rows)


def optional(program: Program) -> Iterator[Recorded]:
    """Give what holds only with a setting that the stack does not show."""
    yield from _of_groups(program, (*optional_uses(), *optional_calls()))


def _of_groups(program: Program, groups: Iterable[Sequence[Recorded]]) -> Iterator[Recorded]:
    for pipeline, rows in itertools.product(program.pipelines, groups):
        here = [row.renamed(pipeline.specific) for row in rows]
        if all(one.is_complete and program.concerns(one) for one in here):
            yield from here


def _data_sets(pipeline: Pipeline) -> Iterator[Recorded]:
    """What check_dataset reads of a data set: a newest object, an exact version, and what a channel has."""
    role = pipeline.role("check-dataset")
    for folder in pipeline.folders:
        bucket, _, prefix = folder.partition("/")
        yield Recorded(role, "s3:GetObject", f"{folder}1.csv")
        yield Recorded(role, "s3:GetObjectVersion", f"{folder}1.csv")
        yield Recorded(role, "s3:ListBucket", bucket, (("s3:prefix", (f"{prefix}train",)),))


def _checks(pipeline: Pipeline, stage: str) -> Iterator[Check]:
    site, name, serving = Site("aws", pipeline.region, ACCOUNT), pipeline.name, pipeline.serving[stage]
    properties = {"ExecutionRoleArn": pipeline.role(f"model-{stage}")}
    if serving.has_instances:
        properties["KmsKeyId"] = pipeline.key
    names = {"AWS::CloudWatch::Alarm": f"{name}-{stage}-errors", "AWS::SageMaker::Endpoint": f"{name}-{stage}"}
    for kind in HANDLERS if serving.has_instances else _SERVERLESS:
        given = {"ScheduledActions": "office hours"} if kind.startswith("AWS::Application") else properties
        for verb in ("create", "read", "update", "delete"):
            for check in handler_checks(kind, verb, names.get(kind, "name"), given, site):
                if check.action != "sagemaker:CreateEndpointConfig":
                    keys = _keys(kind, verb, check, name, serving)
                    yield Check(check.action, check.resource, check.context.under(keys))
    types = pipeline.instance_types.get(f"deploy-{stage}", ())
    for sizes in [{"sagemaker:InstanceTypes": type_} for type_ in types] if serving.has_instances else [serving.sizes]:
        asked = Context({f"aws:RequestTag/{_TAG}": name, **sizes})
        yield Check("sagemaker:CreateEndpointConfig", site.arn("sagemaker", "endpoint-config/name"), asked)
    tag = Context({f"aws:ResourceTag/{_TAG}": name})
    for action in ("CreateEndpoint", "UpdateEndpoint"):
        yield Check(f"sagemaker:{action}", site.arn("sagemaker", "endpoint-config/name"), tag)
    if serving.has_instances:
        call = Call("application-autoscaling", "RegisterScalableTarget", {"ServiceNamespace": "sagemaker"}, site)
        yield from checks_with_callers_rights(call)


def _keys(kind: str, verb: str, check: Check, pipeline: str, serving: Serving) -> Context:
    """The condition keys that the service sends with what a handler calls."""
    if check.action.startswith("application-autoscaling:") and check.resource != "*":
        dimension = "sagemaker:variant:DesiredInstanceCount"
        given = {"service-namespace": "sagemaker", "scalable-dimension": dimension}
        return Context({f"application-autoscaling:{key}": value for key, value in given.items()})
    if not check.action.startswith("sagemaker:") or kind == "AWS::SageMaker::Endpoint":
        return Context()
    asked = {f"aws:RequestTag/{_TAG}": pipeline} if check.action.split(":")[1][:3] in ("Cre", "Add") else {}
    there = {f"aws:ResourceTag/{_TAG}": pipeline} if verb != "create" else {}
    is_isolated = check.action == "sagemaker:CreateModel" and serving.has_instances
    isolated = {"sagemaker:NetworkIsolation": "true"} if is_isolated else {}
    return Context({**asked, **there, **isolated})
