"""The releases of a deployed pipeline to production: their records, and the rollback to one of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from .clients import code_of, explained
from .documents import json_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .pipeline import DeployedPipeline

_FILE = re.compile(r"([1-9][0-9]{0,8})\.json")
_GONE = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket", "405", "MethodNotAllowed", "400"})
_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[^:@]+)"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))"
)


class Releases:
    """The records of one pipeline, numbered from 1.

    Attributes:
        unreadable: Which records could not be read and why, as sentences. They are left out: one that somebody has
            damaged must not hide the others.
    """

    def __init__(self, pipeline: DeployedPipeline) -> None:
        """Read releases of this pipeline."""
        self.unreadable: list[str] = []
        self._pipeline, self._s3 = pipeline, pipeline.client("s3")
        self._prefix = f"releases/{pipeline.name}/"

    def all(self) -> list[dict[str, Any]]:
        """Return every record that can be read, newest first."""
        with self._explained():
            return list(self._newest_first())

    def newest(self) -> int | None:
        """Return the number of the newest release, whether its record can be read or not; None before the first one."""
        with self._explained():
            return next(iter(self._numbers()), None)

    def record(self, number: int) -> dict[str, Any]:
        """Return one record. Raises MlopsError when there is none with this number."""
        from botocore.exceptions import ClientError

        with self._explained():
            try:
                return self._read(number)
            except ClientError as error:
                if code_of(error) not in ("NoSuchKey", "404"):
                    raise
        numbers = [str(record["release"]) for record in self.all()]
        found = f"there are {', '.join(numbers)}" if numbers else "nothing has been released yet"
        raise MlopsError(f"{self._pipeline.name} has no release {number}; {found}")

    def numbers_of(self, *execution_ids: str) -> list[int | None]:
        """Return the number of the release that each execution recorded, or None; the newest records are read first."""
        found: dict[str, int] = {}
        with self._explained():
            for record in self._newest_first():
                found[str(record.get("execution_id"))] = int(record["release"])
                if found.keys() >= set(execution_ids):
                    break
        return [found.get(one) for one in execution_ids]

    def number_with(self, package: str) -> int | None:
        """Return the number of the newest release of a model package, or None."""
        with self._explained():
            found = (one["release"] for one in self._newest_first() if one.get("model_package_arn") == package)
            return next((int(number) for number in found), None)

    def deploy_again(self, number: int, ab_test: str | None = None) -> tuple[dict[str, Any], str]:
        """Start the pipeline on a release, without training; return its record and the execution's id.

        Args:
            number: Number of the release.
            ab_test: What the execution does with the A/B test, see ``DeployedPipeline.start``.

        Raises:
            MlopsError: when the pipeline or the release does not allow it, with all reasons.
        """
        pipeline = self._pipeline
        if not pipeline.takes_releases:
            raise MlopsError(
                f"{pipeline.name} cannot deploy a release again; deploy it with this version of the library first"
            )
        record = self.record(number)
        with explained(f"release {number} of {pipeline.name} could not be checked"):
            gone = list(self._missing(record))
        if gone:
            raise MlopsError(f"release {number} cannot be deployed again: {'; '.join(gone)}")
        dataset = record["dataset"]
        return record, pipeline.start(dataset["key"], dataset["version_id"], release=record["release"], ab_test=ab_test)

    def _newest_first(self) -> Iterator[dict[str, Any]]:
        for number in self._numbers():
            try:
                yield self._read(number)
            except MlopsError as error:
                self.unreadable.append(str(error))

    def _numbers(self) -> list[int]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._pipeline.artifact_bucket, Prefix=self._prefix
        )
        names = [item["Key"].removeprefix(self._prefix) for page in pages for item in page.get("Contents", [])]
        return sorted((int(match[1]) for match in map(_FILE.fullmatch, names) if match), reverse=True)

    def _read(self, number: int) -> dict[str, Any]:
        bucket, key = self._pipeline.artifact_bucket, f"{self._prefix}{number}.json"
        body = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return json_object(body, f"s3://{bucket}/{key}", "the record of a release")

    def _missing(self, record: Mapping[str, Any]) -> Iterator[str]:
        """Yield what the release needs and does not exist any more."""
        from botocore.exceptions import ClientError

        for what, place in _objects(record).items():
            try:
                self._s3.head_object(**place)
            except ClientError as error:
                if code_of(error) not in _GONE:
                    raise
                yield f"{what} does not exist any more"
        package = record["model_package_arn"]
        try:
            self._pipeline.client("sagemaker").describe_model_package(ModelPackageName=package)
        except ClientError as error:
            if code_of(error) not in ("ValidationException", "ResourceNotFound"):
                raise
            yield f"its model package {package} does not exist any more"
        yield from self._missing_image(str(record["image"]))

    def _missing_image(self, image: str) -> Iterator[str]:
        from botocore.exceptions import ClientError

        match = _IMAGE.fullmatch(image)
        if match is None:
            return
        try:
            self._pipeline.client("ecr").describe_images(
                registryId=match["account"],
                repositoryName=match["repository"],
                imageIds=[{"imageDigest": match["digest"]}],
            )
        except ClientError as error:
            # The person may lack permission to read another account's registry, which the pipeline reads.
            if code_of(error) in ("ImageNotFoundException", "RepositoryNotFoundException"):
                yield f"its image {image} does not exist any more"

    def _explained(self) -> Any:
        return explained(f"the releases of {self._pipeline.name} could not be read")


def role_of(record: Mapping[str, Any]) -> str:
    """The role that a release got: ``champion``, or ``challenger`` in an A/B test."""
    return str(record.get("role") or "champion")


def _objects(record: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Data set and model of a release: their description and their S3 location."""
    dataset, model = record["dataset"], str(record["model_data_url"])
    model_bucket, _, model_key = model.removeprefix("s3://").partition("/")
    return {
        f"its data set s3://{dataset['bucket']}/{dataset['key']}, version {dataset['version_id']}": {
            "Bucket": dataset["bucket"],
            "Key": dataset["key"],
            "VersionId": dataset["version_id"],
        },
        f"its model {model}": {"Bucket": model_bucket, "Key": model_key},
    }
