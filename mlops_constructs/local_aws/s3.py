"""S3's events for EventBridge, and its bucket policies; moto implements the storage."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from moto.s3.models import s3_backends
from moto.s3.utils import compute_checksum

from mlops_constructs.local_aws.service import AwsError, Params, Service, without_metadata

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account


class S3Service(Service):
    """Stores which buckets send events to EventBridge, and emits the events.

    The EventBridge setting is not passed to moto: moto does not return it,
    and would deliver events to its own, incomplete event bus. Bucket policies are not passed to moto either:
    it would enforce them without their conditions, so that "deny without TLS" would deny everything.
    """

    service_name: ClassVar[str] = "s3"

    def __init__(self, account: Account, event_delay_seconds: float = 0) -> None:
        """Create the service.

        Args:
            account: The account that owns the buckets.
            event_delay_seconds: How long a bucket sends no events after EventBridge was enabled for it.
        """
        super().__init__(account)
        self._event_delay_seconds = event_delay_seconds
        self._enabled_since: dict[str, float] = {}
        self._policies: dict[str, str] = {}
        account.access.policies.of_bucket = self._policy_of

    def put_bucket_notification_configuration(self, params: Params) -> Params:
        """Store the EventBridge setting here, the rest in moto."""
        configuration = dict(params["NotificationConfiguration"])
        enabled = configuration.pop("EventBridgeConfiguration", None) is not None
        self.account.moto("s3").put_bucket_notification_configuration(
            **{**params, "NotificationConfiguration": configuration}
        )
        with self.lock:
            if enabled:
                self._enabled_since.setdefault(params["Bucket"], self.account.clock.now())
            else:
                self._enabled_since.pop(params["Bucket"], None)
        return {}

    def get_bucket_notification_configuration(self, params: Params) -> Params:
        """moto's configuration and the EventBridge setting."""
        answer = without_metadata(self.account.moto("s3").get_bucket_notification_configuration(**params))
        with self.lock:
            enabled = params["Bucket"] in self._enabled_since
        if enabled:
            answer["EventBridgeConfiguration"] = {}
        return answer

    def put_bucket_policy(self, params: Params) -> Params:
        """Store a policy; the only check is that it is JSON."""
        self.account.moto("s3").head_bucket(Bucket=params["Bucket"])
        try:
            json.loads(params["Policy"])
        except ValueError as error:
            raise AwsError("MalformedPolicy", f"The policy is not JSON: {error}") from error
        with self.lock:
            self._policies[params["Bucket"]] = params["Policy"]
        return {}

    def get_bucket_policy(self, params: Params) -> Params:
        """The policy, as it was sent."""
        self.account.moto("s3").head_bucket(Bucket=params["Bucket"])
        with self.lock:
            policy = self._policies.get(params["Bucket"])
        if policy is None:
            raise AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
        return {"Policy": policy}

    def delete_bucket_policy(self, params: Params) -> Params:
        """Delete the policy."""
        with self.lock:
            self._policies.pop(params["Bucket"], None)
        return {}

    def after_delete_bucket(self, params: Params, _: dict[str, str]) -> None:
        """Delete the setting and the policy: a new bucket with the same name has neither."""
        with self.lock:
            self._enabled_since.pop(params["Bucket"], None)
            self._policies.pop(params["Bucket"], None)

    def after_put_object(self, params: Params, headers: dict[str, str]) -> None:
        """Emit the event of an upload in one request."""
        self._object_created(params, headers, "PutObject")

    def after_copy_object(self, params: Params, headers: dict[str, str]) -> None:
        """Give the copy the checksum of its content, and emit the event.

        The checksum of a multipart upload is one of its parts' checksums; moto keeps it for the copy, which has no
        parts. https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
        """
        backend = s3_backends[self.account.account_id][self.account.partition]
        copied = backend.get_object(params["Bucket"], params["Key"])
        if copied is not None and copied.checksum_value and not params.get("ChecksumAlgorithm"):
            copied.checksum_value = compute_checksum(copied.value, copied.checksum_algorithm or "CRC32").decode()
        self._object_created(params, headers, "CopyObject")

    def after_complete_multipart_upload(self, params: Params, headers: dict[str, str]) -> None:
        """Emit the event of a multipart upload."""
        self._object_created(params, headers, "CompleteMultipartUpload")

    def _policy_of(self, bucket: str) -> str | None:
        with self.lock:
            return self._policies.get(bucket)

    def _sends_events(self, bucket: str) -> bool:
        """Whether a bucket sends events about new objects now.

        "After you enable EventBridge, it takes around five minutes for the changes to take effect."
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html
        """
        with self.lock:
            since = self._enabled_since.get(bucket)
        return since is not None and self.account.clock.now() - since >= self._event_delay_seconds

    def _object_created(self, params: Params, headers: dict[str, str], reason: str) -> None:
        bucket, key = params["Bucket"], params["Key"]
        if not self._sends_events(bucket):
            return
        lowered = {name.lower(): value for name, value in headers.items()}
        version_id = lowered.get("x-amz-version-id")
        version = {"VersionId": version_id} if version_id else {}
        head = self.account.moto("s3").head_object(Bucket=bucket, Key=key, **version)
        about = {"key": key, "size": head["ContentLength"], "etag": head["ETag"].strip('"')}
        if version_id:
            about["version-id"] = version_id
        self.account.emit(
            {
                "source": "aws.s3",
                "detail-type": "Object Created",
                "resources": [self.account.arn("s3", bucket, region="", account_id="")],
                "detail": {
                    "version": "0",
                    "bucket": {"name": bucket},
                    "object": about,
                    "requester": self.account.account_id,
                    "source-ip-address": "127.0.0.1",
                    "reason": reason,
                },
            }
        )
