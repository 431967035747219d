"""Transform jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.constraints import keys
from mlops_constructs.local_aws.constraints.instances import has_local_storage
from mlops_constructs.local_aws.constraints.rule import Rule, found

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params

_V = "ValidationException"
_CREATE = ("sagemaker:CreateTransformJob",)
_MOST_MEGABYTES = 100
_MOST_INSTANCES = 100
_PROCESSED = ("text/csv", "application/json", "application/jsonlines")
_PAGE = "https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html"


def _model(params: Params, account: Account) -> str | None:
    name = params["ModelName"]
    try:
        account.moto("sagemaker").describe_model(ModelName=name)
    except ClientError:
        return f'Could not find model "{account.arn("sagemaker", f"model/{name.lower()}")}".'
    return None


def _payload(params: Params, _: Account) -> str | None:
    size, parallel = params.get("MaxPayloadInMB", 0), params.get("MaxConcurrentTransforms", 0)
    if size > _MOST_MEGABYTES:
        return f"MaxPayloadInMB is {size}; it cannot be greater than {_MOST_MEGABYTES} MB."
    if size * parallel > _MOST_MEGABYTES:
        return (
            f"MaxConcurrentTransforms * MaxPayloadInMB is {parallel} * {size}; it cannot exceed {_MOST_MEGABYTES} MB."
        )
    return None


def _instances(params: Params, _: Account) -> str | None:
    count = int(params["TransformResources"]["InstanceCount"])
    return f"InstanceCount is {count}; the maximum is {_MOST_INSTANCES}." if count > _MOST_INSTANCES else None


def _strategy(params: Params, _: Account) -> str | None:
    if "BatchStrategy" in params and params["TransformInput"].get("SplitType", "None") == "None":
        return "To enable the batch strategy, you must set SplitType to Line, RecordIO, or TFRecord."
    return None


def _volume_key(params: Params, _: Account) -> str | None:
    resources = params["TransformResources"]
    if resources.get("VolumeKmsKeyId") and has_local_storage(resources["InstanceType"]):
        return (
            f"VolumeKmsKeyId cannot be requested for {resources['InstanceType']}: its local storage is encrypted by"
            " hardware."
        )
    return None


def _processes(params: Params) -> bool:
    given = params.get("DataProcessing", {})
    filters = {given.get(name) or "$" for name in ("InputFilter", "OutputFilter")}
    return filters != {"$"} or given.get("JoinSource", "None") == "Input"


def _types(params: Params, _: Account) -> str | None:
    types = (found(params, "TransformInput.ContentType"), found(params, "TransformOutput.Accept"))
    if _processes(params) and (types[0] != types[1] or types[0] not in _PROCESSED):
        return f"DataProcessing needs ContentType and Accept to be the same of {', '.join(_PROCESSED)}, got {types}."
    return None


def _lines(params: Params, _: Account) -> str | None:
    ways = (found(params, "TransformInput.SplitType"), found(params, "TransformOutput.AssembleWith"))
    is_text = found(params, "TransformInput.ContentType") in ("text/csv", "application/jsonlines")
    if _processes(params) and is_text and ways != ("Line", "Line"):
        return f"DataProcessing of lines needs SplitType and AssembleWith to be Line, got {ways}."
    return None


RULES = (
    Rule(_CREATE, _V, "https://github.com/aws/deep-learning-containers/issues/586: Could not find model", _model),
    Rule(
        _CREATE, _V, "MaxPayloadInMB: cannot be greater than 100 MB, nor can the product with parallel ones", _payload
    ),
    Rule(_CREATE, _V, "TransformResources.InstanceCount: the maximum is 100", _instances),
    Rule(_CREATE, _V, "BatchStrategy: To enable the batch strategy, you must set the SplitType property", _strategy),
    Rule(_CREATE, _V, "VolumeKmsKeyId: not for an instance type with local storage", _volume_key),
    Rule(_CREATE, _V, f"{_PAGE}: ContentType and Accept to one of the following values", _types),
    # AWS documents that input and output of the join are rows; that both are split is the stricter reading.
    Rule(_CREATE, _V, f"{_PAGE}: each row is joined with its transformed row", _lines),
    Rule(_CREATE, _V, keys.SOURCE, keys.exists_at("TransformOutput.KmsKeyId")),
    Rule(_CREATE, _V, keys.SOURCE, keys.exists_at("TransformResources.VolumeKmsKeyId")),
)
