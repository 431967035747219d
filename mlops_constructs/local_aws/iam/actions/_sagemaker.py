"""The permissions that calls of SageMaker need.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..calls import Check
from ..request import Context
from ._rows import Row, arn_of, key_checks, pass_role, request_tags, tagging
from ._s3 import read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..calls import Call, Facts
    from ._rows import Checks, Table

_SERVICE = "sagemaker.amazonaws.com"
_ECR_IMAGE = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[^:@]+)")


class _Job:
    """A call that creates a job, or a configuration, with instances and keys.

    AWS renamed ``sagemaker:OutputKmsKey`` and ``VolumeKmsKey`` to ``OutputKmsKeyArn`` and ``VolumeKmsKeyArn`` and lists
    only the new names. Whether a request still carries the old ones is not documented, so the call is checked twice,
    once with each spelling, and both must pass.
    """

    def __init__(self, action: str, resource: str, read: Callable[[Mapping[str, Any]], _Facets], role: str) -> None:
        self._action, self._resource, self._read = action, resource, read
        self._also = (*((pass_role(role, _SERVICE),) if role else ()), tagging("sagemaker:AddTags", resource))

    def __call__(self, call: Call, facts: Facts) -> Iterable[Check]:
        asked = self._read(call.params)
        arn = arn_of(call, "sagemaker", self._resource)
        keys = {name: key for name, key in (("Volume", asked.volume_key), ("Output", asked.output_key)) if key}
        for ending in ("KmsKey", "KmsKeyArn") if keys else ("",):
            spelt = Context({f"sagemaker:{name}{ending}": key for name, key in keys.items()})
            yield Check(self._action, arn, request_tags(call).under(asked.context).under(spelt))
        if asked.volume_key:
            # SageMaker attaches the encrypted volumes by a grant that it creates with the caller's permissions:
            # https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
            grant = {"kms:GrantIsForAWSResource": "true"}
            yield from key_checks(asked.volume_key, call, "sagemaker", ["CreateGrant"], grant)
        for more in self._also:
            yield from more(call, facts)


class _Facets:
    """The members of a job's request that condition keys refer to."""

    def __init__(
        self,
        params: Mapping[str, Any],
        *,
        resources: Mapping[str, Any] | None = None,
        instance_types: Iterable[str] = (),
        network: Mapping[str, Any] | None = None,
        vpc: Mapping[str, Any] | None = None,
        output: Mapping[str, Any] | None = None,
    ) -> None:
        resources, vpc, network = resources or {}, vpc or {}, network or params
        self.volume_key: str = resources.get("VolumeKmsKeyId", "")
        self.output_key: str = (output or {}).get("KmsKeyId", "")
        values: dict[str, str | list[str]] = {
            "sagemaker:InstanceTypes": list(instance_types),
            "sagemaker:VpcSubnets": list(vpc.get("Subnets", ())),
            "sagemaker:VpcSecurityGroupIds": list(vpc.get("SecurityGroupIds", ())),
        }
        flags = {
            "sagemaker:NetworkIsolation": network.get("EnableNetworkIsolation"),
            "sagemaker:InterContainerTrafficEncryption": network.get("EnableInterContainerTrafficEncryption"),
        }
        values |= {key: str(flag).lower() for key, flag in flags.items() if flag is not None}
        longest = params.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
        values |= {"sagemaker:MaxRuntimeInSeconds": str(longest)} if longest is not None else {}
        self.context = Context(values)


def _training(params: Mapping[str, Any]) -> _Facets:
    resources = params.get("ResourceConfig", {})
    types = [group["InstanceType"] for group in resources.get("InstanceGroups", ()) if "InstanceType" in group]
    types += [resources["InstanceType"]] if "InstanceType" in resources else []
    return _Facets(
        params,
        resources=resources,
        instance_types=types,
        vpc=params.get("VpcConfig"),
        output=params.get("OutputDataConfig"),
    )


def _tuning(params: Mapping[str, Any]) -> _Facets:
    definitions = params.get("TrainingJobDefinitions") or [params.get("TrainingJobDefinition", {})]
    return _training(definitions[0])


def _processing(params: Mapping[str, Any]) -> _Facets:
    cluster, network = params.get("ProcessingResources", {}).get("ClusterConfig", {}), params.get("NetworkConfig", {})
    return _Facets(
        params,
        resources=cluster,
        instance_types=[cluster["InstanceType"]] if "InstanceType" in cluster else (),
        network=network,
        vpc=network.get("VpcConfig"),
        output=params.get("ProcessingOutputConfig"),
    )


def _endpoint_config(params: Mapping[str, Any]) -> _Facets:
    variants = params.get("ProductionVariants", ())
    types = [variant["InstanceType"] for variant in variants if "InstanceType" in variant]
    key = {"VolumeKmsKeyId": params.get("KmsKeyId", "")}
    return _Facets(params, resources=key, instance_types=types, vpc=params.get("VpcConfig"))


def _model(call: Call) -> Context:
    return request_tags(call).under(_Facets(call.params, vpc=call.params.get("VpcConfig")).context)


def _package(call: Call) -> Context:
    approval = call.text("ModelApprovalStatus")
    metadata = call.params.get("CustomerMetadataProperties", {})
    values = {f"sagemaker:CustomerMetadataProperties/{key}": str(value) for key, value in metadata.items()}
    return request_tags(call).under(
        Context({**values, **({"sagemaker:ModelApprovalStatus": approval} if approval else {})})
    )


def _target_model(call: Call) -> Context:
    return Context({"sagemaker:TargetModel": call.text("TargetModel")} if call.text("TargetModel") else {})


def _new_package(call: Call, facts: Facts) -> Iterable[Check]:
    """Need the action on a new model package, whose version in its group is not known yet, and to read what it names.

    A package has no role, and AWS's policy for the registry contains reading the image and the model.
    https://docs.aws.amazon.com/sagemaker/latest/dg/security-iam-awsmanpol-model-registry.html
    """
    group = call.text("ModelPackageGroupName").rsplit("/", 1)[-1]
    name = f"{group}/*" if group else call.text("ModelPackageName")
    yield Check("sagemaker:CreateModelPackage", call.arn("sagemaker", f"model-package/{name}"), _package(call))
    for container in call.params.get("InferenceSpecification", {}).get("Containers", ()):
        image = _ECR_IMAGE.match(container.get("Image", ""))
        if image is not None:
            owner = replace(call.site, account=image["account"], region=image["region"])
            yield Check("ecr:BatchGetImage", owner.arn("ecr", f"repository/{image['repository']}"))
        if container.get("ModelDataUrl"):
            yield from read_object(call, facts, container["ModelDataUrl"])


_TRAINING, _TUNING = "training-job/{TrainingJobName}", "hyper-parameter-tuning-job/{HyperParameterTuningJobName}"
_PROCESSING, _MODEL = "processing-job/{ProcessingJobName}", "model/{ModelName}"
_ENDPOINT, _CONFIG = "endpoint/{EndpointName}", "endpoint-config/{EndpointConfigName}"
_PACKAGE, _GROUP = "model-package/{ModelPackageName}", "model-package-group/{ModelPackageGroupName}"
_NOTEBOOK = "notebook-instance/{NotebookInstanceName}"
_TAG_ENDPOINT = tagging("sagemaker:AddTags", _ENDPOINT)


def _tuned_role(call: Call, facts: Facts) -> Iterable[Check]:
    for definition in call.params.get("TrainingJobDefinitions") or [call.params.get("TrainingJobDefinition", {})]:
        role = definition.get("RoleArn")
        if role:
            yield Check("iam:PassRole", role, Context({"iam:PassedToService": _SERVICE}))


def _tuning_job(call: Call, facts: Facts) -> Iterable[Check]:
    yield from _Job("sagemaker:CreateHyperParameterTuningJob", _TUNING, _tuning, "")(call, facts)
    yield from _tuned_role(call, facts)


_ROWS: dict[str, Checks] = {
    "CreateTrainingJob": _Job("sagemaker:CreateTrainingJob", _TRAINING, _training, "RoleArn"),
    "CreateHyperParameterTuningJob": _tuning_job,
    "CreateProcessingJob": _Job("sagemaker:CreateProcessingJob", _PROCESSING, _processing, "RoleArn"),
    "CreateEndpointConfig": _Job("sagemaker:CreateEndpointConfig", _CONFIG, _endpoint_config, "ExecutionRoleArn"),
    "CreateModel": Row(
        "sagemaker:CreateModel",
        (_MODEL,),
        _model,
        (pass_role("ExecutionRoleArn", _SERVICE), tagging("sagemaker:AddTags", _MODEL)),
    ),
    "CreateEndpoint": Row("sagemaker:CreateEndpoint", (_ENDPOINT, _CONFIG), request_tags, (_TAG_ENDPOINT,)),
    "UpdateEndpoint": Row("sagemaker:UpdateEndpoint", (_ENDPOINT, _CONFIG)),
    "UpdateEndpointWeightsAndCapacities": Row("sagemaker:UpdateEndpointWeightsAndCapacities", (_ENDPOINT,)),
    "CreateModelPackage": _new_package,
    "UpdateModelPackage": Row("sagemaker:UpdateModelPackage", ("{ModelPackageArn}",), _package),
    "CreateModelPackageGroup": Row("sagemaker:CreateModelPackageGroup", (_GROUP,), request_tags),
    # The reference lists model packages as the resource; which ARN is checked for a whole group is not documented.
    "ListModelPackages": Row("sagemaker:ListModelPackages"),
    "AddTags": Row("sagemaker:AddTags", ("{ResourceArn}",), request_tags),
    "DeleteTags": Row("sagemaker:DeleteTags", ("{ResourceArn}",)),
    "ListTags": Row("sagemaker:ListTags", ("{ResourceArn}",)),
    "ListTrainingJobsForHyperParameterTuningJob": Row(
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob", (_TUNING,)
    ),
}

# Operation's verb and noun, by the resource that it is about.
_BY_RESOURCE = {
    _TRAINING: ["DescribeTrainingJob", "StopTrainingJob", "DeleteTrainingJob"],
    _TUNING: ["DescribeHyperParameterTuningJob", "StopHyperParameterTuningJob"],
    _PROCESSING: ["DescribeProcessingJob", "StopProcessingJob"],
    _MODEL: ["DescribeModel", "DeleteModel"],
    _ENDPOINT: ["DescribeEndpoint", "DeleteEndpoint"],
    _CONFIG: ["DescribeEndpointConfig", "DeleteEndpointConfig"],
    _PACKAGE: ["DescribeModelPackage", "DeleteModelPackage"],
    _GROUP: ["DescribeModelPackageGroup", "DeleteModelPackageGroup"],
    _NOTEBOOK: ["DescribeNotebookInstance", "StartNotebookInstance", "StopNotebookInstance"],
    "": [
        "ListTrainingJobs",
        "ListHyperParameterTuningJobs",
        "ListProcessingJobs",
        "ListModels",
        "ListEndpoints",
        "ListEndpointConfigs",
        "ListModelPackageGroups",
        "Search",
    ],
}

TABLE: Table = {("sagemaker", operation): row for operation, row in _ROWS.items()}
TABLE |= {
    ("sagemaker", operation): Row(f"sagemaker:{operation}", (resource,) if resource else ())
    for resource, operations in _BY_RESOURCE.items()
    for operation in operations
}
TABLE["sagemaker-runtime", "InvokeEndpoint"] = Row("sagemaker:InvokeEndpoint", (_ENDPOINT,), _target_model)
TABLE["sagemaker-runtime", "InvokeEndpointWithResponseStream"] = Row(
    "sagemaker:InvokeEndpointWithResponseStream", (_ENDPOINT,)
)
TABLE["sagemaker-runtime", "InvokeEndpointAsync"] = Row("sagemaker:InvokeEndpointAsync", (_ENDPOINT,))
