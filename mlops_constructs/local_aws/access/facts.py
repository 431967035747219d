"""The KMS keys and tags of the resources of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.ssm.models import ssm_backends

if TYPE_CHECKING:
    from mlops_constructs.local_aws.iam.calls import Site


DELETED = "Deleted"


class AccountFacts:
    """Facts about the resources of one account in one region, read from moto's backends.

    Attributes:
        deleted_keys: Ids of the KMS keys whose waiting period has ended.
    """

    def __init__(self, site: Site) -> None:
        self.deleted_keys: set[str] = set()
        self._site = site

    def kms_key(self, arn: str, version: str | None = None) -> str | None:
        """Return the ARN of the customer managed key of an object, bucket, topic, queue or parameter."""
        _, _, service, _, _, resource = arn.split(":", 5)
        if service == "s3":
            return self._arn(self._key_of_bucket(resource) if "/" not in resource else self._key_of(resource, version))
        site = self._site
        if service == "sns":
            topic = sns_backends[site.account][site.region].topics.get(arn)
            return self._arn(topic.kms_master_key_id if topic is not None else None)
        if service == "sqs":
            queue = sqs_backends[site.account][site.region].queues.get(resource)
            return self._arn(getattr(queue, "kms_master_key_id", None))
        if service == "ssm":
            return self._arn(self._key_of_parameter(resource.removeprefix("parameter/")))
        return None

    def key_state(self, arn: str) -> str:
        """Return the state of a KMS key of this account, such as ``Disabled``; ``Enabled`` for others."""
        name = str(self._arn(arn)).rpartition("/")[2]
        if name in self.deleted_keys:
            return DELETED
        key = kms_backends[self._site.account][self._site.region].keys.get(name)
        return str(key.key_state) if key is not None else "Enabled"

    def has_unusable_keys(self) -> bool:
        """Whether a key of this account cannot be used."""
        keys = list(kms_backends[self._site.account][self._site.region].keys.values())
        return bool(self.deleted_keys) or any(key.key_state != "Enabled" for key in keys)

    def role_path(self, name: str) -> str:
        """Return the path of a role, which is part of its ARN; ``/`` for a role that does not exist."""
        roles = list(iam_backends[self._site.account][self._site.partition].roles.values())
        return next((str(role.path) for role in roles if role.name == name), "/")

    def is_tagged(self, arn: str, version: str | None = None) -> bool:
        """Whether an object has tags."""
        stored = self._stored(arn.split(":", 5)[5], version)
        backend = s3_backends[self._site.account][self._site.partition]
        return stored is not None and bool(backend.tagger.get_tag_dict_for_resource(stored.arn))

    def _arn(self, key: str | None) -> str | None:
        """Return the ARN of a key by id, ARN or alias; None for AWS managed keys, which need no permission."""
        if not key:
            return None
        backend = kms_backends[self._site.account][self._site.region]
        name = key.partition(":alias/")[2] or key.removeprefix("alias/")
        if name.startswith("aws/"):
            return None
        if "alias/" in key:
            key = str(backend.get_key_id_from_alias(f"alias/{name}"))
        return key if key.startswith("arn:") else self._site.arn("kms", f"key/{key.rsplit('/', 1)[-1]}")

    def _bucket(self, name: str) -> Any:
        return s3_backends[self._site.account][self._site.partition].buckets.get(name)

    def _key_of_bucket(self, name: str) -> str | None:
        bucket = self._bucket(name)
        if bucket is None or not bucket.encryption:
            return None
        rules = bucket.encryption["Rule"]
        rule = rules[0] if isinstance(rules, list) else rules
        key: str | None = rule["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID")
        return key

    def _key_of(self, path: str, version: str | None) -> str | None:
        stored = self._stored(path, version)
        encrypted = stored is not None and str(getattr(stored, "encryption", "")).startswith("aws:kms")
        return stored.kms_key_id if encrypted else None

    def _stored(self, path: str, version: str | None) -> Any:
        """Return a version of an object, by default the newest; None when it does not exist."""
        name, _, key = path.partition("/")
        bucket = self._bucket(name)
        if bucket is None:
            return None
        versions = bucket.keys.getlist(key, [])
        if version is None:
            return versions[-1] if versions else None
        return next((one for one in versions if one.version_id == version), None)

    def _key_of_parameter(self, name: str) -> str | None:
        parameters = ssm_backends[self._site.account][self._site.region]._parameters
        versions = parameters.get(f"/{name}") or parameters.get(name)
        return versions[-1].keyid if versions else None
