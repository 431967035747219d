"""What a deployed pipeline costs: from its functions' archives, its endpoints' stacks and its notebook instance."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ..prices.book import PriceBook
from ..prices.rows import Row, metrics_of_alarm, rows_of
from .clients import explained
from .pipeline import actions_of
from .stacks import find_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .pipeline import DeployedPipeline

_TEMPLATES = "Templates"


def cost_rows(pipeline: DeployedPipeline, own: Mapping[str, float], notebook_hours: float) -> list[Row]:
    """Return the rows of a pipeline.

    An endpoint that is not deployed yet is shown as its template configures it.

    Args:
        pipeline: The pipeline.
        own: Instance type to the caller's price.
        notebook_hours: Hours a day that the notebook runs.
    """
    with explained(f"what {pipeline.name} consists of could not be looked up"):
        documents = list(_documents(pipeline))
        endpoints = _endpoints(pipeline)
        notebook = _notebook(pipeline)
        alarms = _alarm_metrics(pipeline)
    region = pipeline.client("codepipeline").meta.region_name
    return rows_of(documents, endpoints, notebook, PriceBook.of(region, own, documents), notebook_hours, alarms)


def _documents(pipeline: DeployedPipeline) -> Iterator[Any]:
    """Yield the document of each function of the pipeline that has one."""
    configurations = [action.get("configuration", {}) for action in actions_of(pipeline.definition)]
    names = dict.fromkeys(one["FunctionName"] for one in configurations if "FunctionName" in one)
    for name in names:
        files = _files(pipeline, pipeline.artifact_bucket, f"functions/{name}.zip")
        yield from (document for path, document in files if path == "document.json")


def _endpoints(pipeline: DeployedPipeline) -> dict[str, dict[str, Any]]:
    """Return the parameters of each endpoint's stack, or the defaults of its template before the first release."""
    source = next(one for one in actions_of(pipeline.definition) if one["name"] == _TEMPLATES)["configuration"]
    found = {}
    for path, template in _files(pipeline, source["S3Bucket"], source["S3ObjectKey"]):
        parameters = template.get("Parameters", {}) if isinstance(template, dict) else {}
        environment = PurePosixPath(path).stem
        stack = next((name for name in pipeline.stacks if name.endswith(f"-{environment}")), None)
        if stack is not None and parameters:
            deployed = find_stack(pipeline.client, stack)
            defaults = {name: one["Default"] for name, one in parameters.items() if "Default" in one}
            found[environment] = {**defaults, **({} if deployed is None else deployed.parameters)}
    return found


def _notebook(pipeline: DeployedPipeline) -> tuple[str, int] | None:
    """Return instance type and GB of the notebook instance, which has the name of the pipeline."""
    pages = pipeline.client("sagemaker").get_paginator("list_notebook_instances")
    found = [one for page in pages.paginate(NameContains=pipeline.name) for one in page["NotebookInstances"]]
    if pipeline.name not in (one["NotebookInstanceName"] for one in found):
        return None
    instance = pipeline.client("sagemaker").describe_notebook_instance(NotebookInstanceName=pipeline.name)
    return instance["InstanceType"], instance["VolumeSizeInGB"]


def _alarm_metrics(pipeline: DeployedPipeline) -> int:
    """Count the metrics of the alarms, whose names start with that of the pipeline."""
    pages = pipeline.client("cloudwatch").get_paginator("describe_alarms")
    found = [one for page in pages.paginate(AlarmNamePrefix=f"{pipeline.name}-") for one in page["MetricAlarms"]]
    return sum(metrics_of_alarm(one.get("Metrics")) for one in found)


def _files(pipeline: DeployedPipeline, bucket: str, key: str) -> Iterator[tuple[str, Any]]:
    """Yield the JSON files of a zip in S3, parsed."""
    body = pipeline.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        for path in archive.namelist():
            if path.endswith(".json"):
                yield path, json.loads(archive.read(path))
