"""The policies of an account, read from moto's backends and parsed once."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.utils import get_backend as lambda_backend
from moto.ecr.models import ecr_backends
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from mlops_constructs.local_aws.iam.documents import Policy, PolicyKind
from mlops_constructs.local_aws.iam.enforce import ResourceSide
from mlops_constructs.local_aws.iam.evaluate import Policies

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.iam.models import ManagedPolicy

    from mlops_constructs.local_aws.iam.calls import Site
    from mlops_constructs.local_aws.iam.request import Principal


def _no_policy(bucket: str) -> str | None:
    return None


class AccountPolicies:
    """The policies of one account in one region.

    Attributes:
        of_bucket: Returns the policy of a bucket by its name; None when it has none.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.of_bucket: Callable[[str], str | None] = _no_policy

    def of_principal(self, principal: Principal) -> Policies:
        """Return the policies of a role; no policies for other principals and for a role that was deleted."""
        role = self._role(principal.role_arn) if principal.role_arn else None
        if role is None:
            return Policies()
        inline = (_parsed(name, PolicyKind.IDENTITY, _text(document)) for name, document in role.policies.items())
        attached = (
            _parsed(arn, PolicyKind.IDENTITY, _document(managed)) for arn, managed in role.managed_policies.items()
        )
        return Policies(identity=(*inline, *attached), boundary=self._boundary(role.permissions_boundary_arn))

    def of_resource(self, action: str, resource: str) -> ResourceSide:
        """Return the owner of a resource, and its policy; for ``sts:AssumeRole`` that is the role's trust policy."""
        parts = resource.split(":", 5)
        owner = parts[4] if len(parts) > 5 and parts[4] else self._site.account
        if action.lower().startswith("sts:assumerole"):
            role = self._role(resource)
            document = None if role is None else _text(role.assume_role_policy_document)
            return ResourceSide(account=owner, policy=_optional(resource, PolicyKind.TRUST, document))
        if len(parts) < 6:
            return ResourceSide(account=owner)
        if parts[2] == "ecr" and owner != self._site.account:
            return ResourceSide(account=owner, policy=_parsed(resource, PolicyKind.RESOURCE, _public(self._site)))
        read = _READERS.get(parts[2])
        document = self._bucket(parts[5]) if parts[2] == "s3" else None if read is None else read(self._site, resource)
        return ResourceSide(account=owner, policy=_optional(resource, PolicyKind.RESOURCE, document))

    def _role(self, arn: str) -> Any:
        try:
            return iam_backends[self._site.account][self._site.partition].get_role_by_arn(arn)
        except NotFoundException:
            return None

    def _boundary(self, arn: str | None) -> Policy | None:
        if not arn:
            return None
        managed = iam_backends[self._site.account][self._site.partition].managed_policies[arn]
        return _parsed(arn, PolicyKind.BOUNDARY, _document(managed))

    def _bucket(self, path: str) -> str | None:
        return self.of_bucket(path.partition("/")[0])


def _public(site: Site) -> str:
    """A policy of another account's repository: its owner (AWS, for built-in algorithms) allows us to pull."""
    actions = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    principal = {"AWS": f"arn:{site.partition}:iam::{site.account}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def _key(site: Site, arn: str) -> str | None:
    key = kms_backends[site.account][site.region].keys.get(arn.rsplit("/", 1)[-1])
    return None if key is None else str(key.policy)


def _topic(site: Site, arn: str) -> str | None:
    topic = sns_backends[site.account][site.region].topics.get(arn)
    return None if topic is None else str(topic.policy)


def _queue(site: Site, arn: str) -> str | None:
    queue = sqs_backends[site.account][site.region].queues.get(arn.rsplit(":", 1)[-1])
    return None if queue is None else queue.policy


def _function(site: Site, arn: str) -> str | None:
    try:
        function = lambda_backend(site.account, site.region).get_function(arn)
    except UnknownFunctionException:
        return None
    statements = function.policy.statements
    return json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None


def _repository(site: Site, arn: str) -> str | None:
    repository = ecr_backends[site.account][site.region].repositories.get(arn.partition(":repository/")[2])
    return None if repository is None else repository.policy


_READERS: dict[str, Callable[[Site, str], str | None]] = {
    "ecr": _repository,
    "kms": _key,
    "lambda": _function,
    "sns": _topic,
    "sqs": _queue,
}


def _document(managed: ManagedPolicy) -> str:
    return next(_text(version.document) for version in managed.versions if version.is_default)


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def _optional(name: str, kind: PolicyKind, document: str | None) -> Policy | None:
    return _parsed(name, kind, document) if document else None


@lru_cache(maxsize=2048)
def _parsed(name: str, kind: PolicyKind, document: str) -> Policy:
    return Policy.parse(name, kind, document)
