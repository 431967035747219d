"""S3's events to EventBridge, and its bucket policies; the storage itself is moto's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.service import AwsError, Params, Service, without_metadata

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account


class S3Service(Service):
    """Keeps which buckets tell EventBridge of their objects, and tells it.

    moto never learns of the EventBridge setting: it does not give it back when asked,
    and would deliver to its own, incomplete, event bus. Nor does it learn of bucket policies:
    it would enforce them without their conditions, so that "deny without TLS" denied everything.
    """

    service_name: ClassVar[str] = "s3"

    def __init__(self, account: Account, event_delay_seconds: float = 0) -> None:
        """Keep nothing yet.

        Args:
            account: Whose buckets they are.
            event_delay_seconds: How long after EventBridge is switched on for a bucket events are still lost.
        """
        super().__init__(account)
        self._event_delay_seconds = event_delay_seconds
        self._telling_since: dict[str, float] = {}
        self._policies: dict[str, str] = {}
        account.access.policies.of_bucket = self._policy_of

    def put_bucket_notification_configuration(self, params: Params) -> Params:
        """Keep the EventBridge setting here, the rest in moto."""
        configuration = dict(params["NotificationConfiguration"])
        telling = configuration.pop("EventBridgeConfiguration", None) is not None
        self.account.moto("s3").put_bucket_notification_configuration(
            **{**params, "NotificationConfiguration": configuration}
        )
        with self.lock:
            if telling:
                self._telling_since.setdefault(params["Bucket"], self.account.clock.now())
            else:
                self._telling_since.pop(params["Bucket"], None)
        return {}

    def get_bucket_notification_configuration(self, params: Params) -> Params:
        """moto's configuration and the EventBridge setting."""
        answer = without_metadata(self.account.moto("s3").get_bucket_notification_configuration(**params))
        with self.lock:
            telling = params["Bucket"] in self._telling_since
        if telling:
            answer["EventBridgeConfiguration"] = {}
        return answer

    def put_bucket_policy(self, params: Params) -> Params:
        """Keep a policy; only that it is JSON is checked."""
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
        """Forget the policy."""
        with self.lock:
            self._policies.pop(params["Bucket"], None)
        return {}

    def after_delete_bucket(self, params: Params, _: dict[str, str]) -> None:
        """A bucket made anew under the name starts silent and without policy."""
        with self.lock:
            self._telling_since.pop(params["Bucket"], None)
            self._policies.pop(params["Bucket"], None)

    def after_put_object(self, params: Params, headers: dict[str, str]) -> None:
        """Tell of an upload in one request."""
        self._object_created(params, headers, "PutObject")

    def after_copy_object(self, params: Params, headers: dict[str, str]) -> None:
        """Tell of a copy."""
        self._object_created(params, headers, "CopyObject")

    def after_complete_multipart_upload(self, params: Params, headers: dict[str, str]) -> None:
        """Tell of an upload in parts."""
        self._object_created(params, headers, "CompleteMultipartUpload")

    def _policy_of(self, bucket: str) -> str | None:
        with self.lock:
            return self._policies.get(bucket)

    def _tells(self, bucket: str) -> bool:
        """Whether an object that is made now is told of.

        "After you enable EventBridge, it takes around five minutes for the changes to take effect."
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html
        """
        with self.lock:
            since = self._telling_since.get(bucket)
        return since is not None and self.account.clock.now() - since >= self._event_delay_seconds

    def _object_created(self, params: Params, headers: dict[str, str], reason: str) -> None:
        bucket, key = params["Bucket"], params["Key"]
        if not self._tells(bucket):
            return
        found = {name.lower(): value for name, value in headers.items()}
        version_id = found.get("x-amz-version-id")
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
