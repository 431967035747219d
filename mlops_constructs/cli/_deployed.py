"""A deployed pipeline and its release records, read through AWS's own APIs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError

if TYPE_CHECKING:
    from ._account import Account

VARIABLE = "Release"
_FILE = re.compile(r"([1-9][0-9]{0,8})\.json")


class DeployedPipeline:
    """One ML pipeline.

    Attributes:
        name: Its name.
        bucket: The artifact bucket, where its records lie.
    """

    def __init__(self, account: Account, name: str) -> None:
        """Read the definition. Raises MlopsError when there is no such ML pipeline."""
        from botocore.exceptions import ClientError

        self.name, self._s3 = name, account.client("s3")
        self._prefix = f"releases/{name}/"
        codepipeline = account.client("codepipeline")
        try:
            self._definition: dict[str, Any] = codepipeline.get_pipeline(name=name)["pipeline"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "PipelineNotFoundException":
                raise
            names = [one["name"] for one in codepipeline.list_pipelines()["pipelines"]]
            found = ", ".join(sorted(names)) or "none"
            raise MlopsError(f"there is no pipeline {name!r} in this account and region; there are: {found}") from None
        self.bucket: str = self._definition["artifactStore"]["location"]

    def source(self) -> dict[str, str]:
        """Name and configuration of the action that fetches the data set. Raises MlopsError when there is none."""
        variables = [one["name"] for one in self._definition.get("variables", [])]
        for action in self._definition["stages"][0]["actions"]:
            if action["configuration"].get("AllowOverrideForS3ObjectKey") == "true" and VARIABLE in variables:
                return {"name": action["name"], **action["configuration"]}
        raise MlopsError(
            f"{self.name} is no ML pipeline that can deploy a release again; deploy it with this version first"
        )

    def records(self) -> list[dict[str, Any]]:
        """Every release, the newest first."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._prefix)
        names = (item["Key"].removeprefix(self._prefix) for page in pages for item in page.get("Contents", []))
        numbers = sorted((int(match[1]) for match in map(_FILE.fullmatch, names) if match), reverse=True)
        return [self._read(number) for number in numbers]

    def record(self, number: int) -> dict[str, Any]:
        """One release. Raises MlopsError when there is none of this number."""
        from botocore.exceptions import ClientError

        try:
            return self._read(number)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
                raise
        numbers = [str(record["release"]) for record in self.records()]
        found = f"there are {', '.join(numbers)}" if numbers else "nothing has been released yet"
        raise MlopsError(f"{self.name} has no release {number}; {found}")

    def _read(self, number: int) -> dict[str, Any]:
        key = f"{self._prefix}{number}.json"
        body = self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        try:
            record: dict[str, Any] = json.loads(body)
        except ValueError as error:
            raise MlopsError(f"s3://{self.bucket}/{key} is not the record of a release: {error}") from error
        return record
