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
from ._jobs import SERVICE, Facets, Job
from ._rows import Row, pass_role, request_tags, tagging
from ._s3 import read_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..calls import Call, Facts
    from ._rows import Checks, Table

_ECR_IMAGE = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[^:@]+)")


def _training(params: Mapping[str, Any]) -> Facets:
    resources = params.get("ResourceConfig", {})
    types = [group["InstanceType"] for group in resources.get("InstanceGroups", ()) if "InstanceType" in group]
    types += [resources["InstanceType"]] if "InstanceType" in resources else []
    return Facets(
        params,
        resources=resources,
        instance_types=types,
        vpc=params.get("VpcConfig"),
        output=params.get("OutputDataConfig"),
    )


def _tuning(params: Mapping[str, Any]) -> Facets:
    definitions = params.get("TrainingJobDefinitions") or [params.get("TrainingJobDefinition", {})]
    return _training(definitions[0])


def _processing(params: Mapping[str, Any]) -> Facets:
    cluster, network = params.get("ProcessingResources", {}).get("ClusterConfig", {}), params.get("NetworkConfig", {})
    return Facets(
        params,
        resources=cluster,
        instance_types=[cluster["InstanceType"]] if "InstanceType" in cluster else (),
        network=network,
        vpc=network.get("VpcConfig"),
        output=params.get("ProcessingOutputConfig"),
    )


def _endpoint_config(params: Mapping[str, Any]) -> Facets:
    variants = params.get("ProductionVariants", ())
    types = [variant["InstanceType"] for variant in variants if "InstanceType" in variant]
    key = {"VolumeKmsKeyId": params.get("KmsKeyId", "")}
    facets = Facets(params, resources=key, instance_types=types, vpc=params.get("VpcConfig"))
    sizes = [variant["ServerlessConfig"] for variant in variants if "ServerlessConfig" in variant]
    if sizes:
        most = {
            "sagemaker:ServerlessMaxConcurrency": str(max(one["MaxConcurrency"] for one in sizes)),
            "sagemaker:ServerlessMemorySize": str(max(one["MemorySizeInMB"] for one in sizes)),
        }
        facets.context = facets.context.under(Context(most))
    return facets


def _model(call: Call) -> Context:
    return request_tags(call).under(Facets(call.params, vpc=call.params.get("VpcConfig")).context)


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


def _transform(params: Mapping[str, Any]) -> Facets:
    resources = params.get("TransformResources", {})
    return Facets(
        params,
        resources=resources,
        instance_types=[resources["InstanceType"]] if "InstanceType" in resources else (),
        output=params.get("TransformOutput"),
    )


def _transform_job(call: Call, facts: Facts) -> Iterable[Check]:
    """Need the action on the new job; the key ``sagemaker:ModelArn`` has the model."""
    model = Context({"sagemaker:ModelArn": call.arn("sagemaker", f"model/{call.text('ModelName').lower()}")})
    for check in Job("sagemaker:CreateTransformJob", _TRANSFORM, _transform, "")(call, facts):
        is_job = check.action == "sagemaker:CreateTransformJob"
        yield replace(check, context=check.context.under(model)) if is_job else check


_TRAINING, _TUNING = "training-job/{TrainingJobName}", "hyper-parameter-tuning-job/{HyperParameterTuningJobName}"
_PROCESSING, _MODEL = "processing-job/{ProcessingJobName}", "model/{ModelName}"
_TRANSFORM = "transform-job/{TransformJobName}"
_ENDPOINT, _CONFIG = "endpoint/{EndpointName}", "endpoint-config/{EndpointConfigName}"
_PACKAGE, _GROUP = "model-package/{ModelPackageName}", "model-package-group/{ModelPackageGroupName}"
_NOTEBOOK = "notebook-instance/{NotebookInstanceName}"
_TAG_ENDPOINT = tagging("sagemaker:AddTags", _ENDPOINT)


def _tuned_role(call: Call, facts: Facts) -> Iterable[Check]:
    for definition in call.params.get("TrainingJobDefinitions") or [call.params.get("TrainingJobDefinition", {})]:
        role = definition.get("RoleArn")
        if role:
            yield Check("iam:PassRole", role, Context({"iam:PassedToService": SERVICE}))


def _tuning_job(call: Call, facts: Facts) -> Iterable[Check]:
    yield from Job("sagemaker:CreateHyperParameterTuningJob", _TUNING, _tuning, "")(call, facts)
    yield from _tuned_role(call, facts)


_ROWS: dict[str, Checks] = {
    "CreateTrainingJob": Job("sagemaker:CreateTrainingJob", _TRAINING, _training, "RoleArn"),
    "CreateHyperParameterTuningJob": _tuning_job,
    "CreateProcessingJob": Job("sagemaker:CreateProcessingJob", _PROCESSING, _processing, "RoleArn"),
    "CreateTransformJob": _transform_job,
    "CreateEndpointConfig": Job("sagemaker:CreateEndpointConfig", _CONFIG, _endpoint_config, "ExecutionRoleArn"),
    "CreateModel": Row(
        "sagemaker:CreateModel",
        (_MODEL,),
        _model,
        (pass_role("ExecutionRoleArn", SERVICE), tagging("sagemaker:AddTags", _MODEL)),
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
    _TRANSFORM: ["DescribeTransformJob", "StopTransformJob"],
    _MODEL: ["DescribeModel", "DeleteModel"],
    _ENDPOINT: ["DescribeEndpoint", "DeleteEndpoint"],
    _CONFIG: ["DescribeEndpointConfig", "DeleteEndpointConfig"],
    _PACKAGE: ["DescribeModelPackage", "DeleteModelPackage"],
    _GROUP: ["DescribeModelPackageGroup", "DeleteModelPackageGroup"],
    _NOTEBOOK: ["DescribeNotebookInstance", "StartNotebookInstance", "StopNotebookInstance"],
    "": [
        "ListNotebookInstances",
        "ListTrainingJobs",
        "ListHyperParameterTuningJobs",
        "ListProcessingJobs",
        "ListTransformJobs",
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
