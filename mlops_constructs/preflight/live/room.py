"""The resources for one question: whatever happens, they are deleted at the end."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..stack import Identity

# Deleting fails for a while, until AWS has noticed that a resource is no longer in use.
_REMOVALS = 4
_GONE = frozenset(
    {
        "404",
        "NoSuchBucket",
        "NoSuchEntity",
        "ObjectNotFoundException",
        "PipelineNotFoundException",
        "RepositoryDoesNotExistException",
        "RepositoryNotFoundException",
    }
)

Statement = dict[str, Any]


class Room:
    """Creates buckets and roles with random names, and deletes everything that was created.

    Attributes:
        identity: Account, partition and region.
        left: What could not be deleted.
    """

    def __init__(self, session: Any, identity: Identity, settle_seconds: float) -> None:
        """Create nothing yet.

        Args:
            session: A boto3 session.
            identity: Account, partition and region.
            settle_seconds: How long AWS may need until a new role or policy takes effect.
        """
        self.identity, self.left = identity, list[str]()
        self._session, self._settle_seconds = session, settle_seconds
        self._suffix = secrets.token_hex(4)
        self._undo: list[tuple[str, Callable[[], object]]] = []

    def __enter__(self) -> Room:
        return self

    def __exit__(self, *_: object) -> None:
        while self._undo:
            what, remove = self._undo.pop()
            if reason := self._remove(remove):
                self.left.append(f"{what}: {reason}")

    def name(self, kind: str) -> str:
        """A unique name."""
        return f"mlops-live-{self._suffix}-{kind}"

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this account and region."""
        return f"arn:{self.identity.partition}:{service}:{self.identity.region}:{self.identity.account_id}:{resource}"

    def client(self, service: str, role_arn: str | None = None) -> Any:
        """A client of a service, with the permissions of a role where one is given."""
        if role_arn is None:
            return self._session.client(service, region_name=self.identity.region)
        answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=self.name("asks"))
        credentials = answer["Credentials"]
        return self._session.client(
            service,
            region_name=self.identity.region,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )

    def on_leave(self, what: str, remove: Callable[[], object]) -> None:
        """Call ``remove`` at the end, last registered first. Register before you create the resource."""
        self._undo.append((what, remove))

    def settle(self) -> None:
        """Wait until new roles and policies have taken effect."""
        time.sleep(self._settle_seconds)

    def bucket(self, kind: str) -> str:
        """Create a bucket with versioning."""
        name, s3 = self.name(kind), self.client("s3")
        self.on_leave(f"bucket {name}", lambda: _remove_bucket(s3, name))
        region = self.identity.region
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **place)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def role(self, kind: str, trusted: Sequence[dict[str, str]], statements: Sequence[Statement]) -> str:
        """Create a role; return its ARN.

        Args:
            kind: The last part of its name.
            trusted: Principals that may assume it.
            statements: What it may do.
        """
        name, iam = self.name(kind), self.client("iam")
        self.on_leave(f"role {name}", lambda: _remove_role(iam, name))
        trust = [{"Effect": "Allow", "Principal": one, "Action": "sts:AssumeRole"} for one in trusted]
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
        self.allow(kind, statements)
        return str(made["Role"]["Arn"])

    def allow(self, kind: str, statements: Sequence[Statement]) -> None:
        """Replace the permissions of a role, and wait until they have taken effect."""
        statements = [{"Effect": "Allow", **one} for one in statements]
        self.client("iam").put_role_policy(
            RoleName=self.name(kind), PolicyName="live", PolicyDocument=_policy(statements)
        )
        self.settle()

    @property
    def account(self) -> dict[str, str]:
        """This account, as a principal that may assume a role."""
        return {"AWS": f"arn:{self.identity.partition}:iam::{self.identity.account_id}:root"}

    def _remove(self, remove: Callable[[], object]) -> str:
        """Delete one resource; return the reason when it could not be deleted."""
        from botocore.exceptions import BotoCoreError, ClientError

        reason = ""
        for attempt in range(_REMOVALS):
            try:
                remove()
            except ClientError as error:
                if error.response["Error"]["Code"] in _GONE:
                    return ""
                reason = str(error)
            except BotoCoreError as error:
                reason = str(error)
            else:
                return ""
            if attempt < _REMOVALS - 1:
                self.settle()
        return reason


def _policy(statements: Sequence[Statement]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _remove_bucket(s3: Any, name: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])
    s3.delete_bucket(Bucket=name)


def _remove_role(iam: Any, name: str) -> None:
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)
