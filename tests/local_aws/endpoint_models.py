"""Models and endpoints of the local AWS for tests, each with a name of its own."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from local_aws.tiny_container import local_aws, make_role, push_container, upload_model, wait_until, write_container

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_constructs.local_aws.local_aws import LocalAws

BUCKET = "model-artifacts"


class Models:
    """Makes models and endpoint configurations, each with a name of its own."""

    def __init__(self, aws: LocalAws, image: str) -> None:
        self.aws = aws
        self.sagemaker = aws.client("sagemaker")
        self.image = image
        self._role = make_role(aws, "serving", "sagemaker.amazonaws.com")
        self._count = 0

    def name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}-{self._count}"

    def model(self, answer: str = "one", mode: str = "", uri: str = "") -> str:
        name = self.name("model")
        data = uri if uri else upload_model(self.aws, BUCKET, f"{name}/model.tar.gz", answer)
        container = {"Image": self.image, "ModelDataUrl": data, "Environment": {"MODE": mode}}
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=self._role, PrimaryContainer=container)
        return name

    def config(self, *variants: dict[str, Any], **members: Any) -> str:
        name = self.name("config")
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=list(variants), **members)
        return name

    def simple(self, answer: str = "one", mode: str = "", **changes: Any) -> str:
        return self.config(variant(self.model(answer, mode), **changes))

    def endpoint(self, config_name: str) -> str:
        name = self.name("endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config_name)
        return name

    def settled(self, name: str) -> dict[str, Any]:
        def described() -> dict[str, Any] | None:
            endpoint: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
            return endpoint if endpoint["EndpointStatus"] in ("InService", "Failed") else None

        endpoint: dict[str, Any] = wait_until(described)
        return endpoint

    def serving(self, answer: str = "one", **changes: Any) -> str:
        name = self.endpoint(self.simple(answer, **changes))
        assert self.settled(name)["EndpointStatus"] == "InService"
        return name

    def update(self, name: str, config_name: str, **members: Any) -> dict[str, Any]:
        self.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config_name, **members)
        return self.settled(name)

    def answer(self, name: str, **members: Any) -> dict[str, Any]:
        response = self.aws.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, Body=b"1,2", ContentType="text/csv", **members
        )
        return {**json.loads(response["Body"].read()), "variant": response["InvokedProductionVariant"]}


@contextmanager
def models_of_an_account(folder: Path) -> Iterator[Models]:
    """A local AWS of its own, with the tiny container; ``folder`` keeps its files."""
    with local_aws() as aws:
        aws.client("s3").create_bucket(Bucket=BUCKET)
        yield Models(aws, push_container(aws, write_container(folder)))


def variant(model: str, name: str = "primary", **changes: Any) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
        **changes,
    }


def listed(models: Models) -> list[str]:
    return [item["EndpointName"] for item in models.sagemaker.list_endpoints(MaxResults=100)["Endpoints"]]
