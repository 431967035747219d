"""What AWS deletes by itself as time passes, when the account's clock is advanced.

KMS keys whose deletion is scheduled, messages and log events after their retention, and what the lifecycle rules of
buckets say. Of these rules it executes those without a filter or with a prefix: Days of Expiration, NoncurrentDays of
NoncurrentVersionExpiration, and AbortIncompleteMultipartUpload.
"""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from moto.kms.models import kms_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from mlops_constructs.local_aws.service import Params, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account

_DAY = timedelta(days=1)


class Expiry(Service):
    """Deletes what has had its time."""

    service_name: ClassVar[str] = "s3"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._begun: dict[str, datetime] = {}
        account.clock.on_move(self._look)

    def after_create_multipart_upload(self, params: Params, headers: dict[str, str]) -> None:
        """Remember when it began, which moto does not."""
        with self.lock:
            for upload in self._s3().buckets[params["Bucket"]].multiparts:
                self._begun.setdefault(upload, self.account.clock.utc())

    def _look(self) -> None:
        now = self.account.clock.utc()
        self._delete_keys(now)
        self._delete_messages(now.timestamp())
        self._delete_log_events(now)
        for name, bucket in list(self._s3().buckets.items()):
            for rule in getattr(bucket, "rules", ()):
                prefix = _prefix(rule)
                if rule.status == "Enabled" and prefix is not None:
                    self._abort_uploads(name, bucket, rule, prefix, now)
                    self._delete_objects(name, bucket, rule, prefix, now)

    def _delete_messages(self, now: float) -> None:
        queues: dict[str, Any] = sqs_backends[self.account.account_id][self.account.region].queues
        for queue in list(queues.values()):
            oldest = (now - queue.message_retention_period) * 1000
            queue._messages = [one for one in queue._messages if one.sent_timestamp > oldest]

    def _delete_log_events(self, now: datetime) -> None:
        for group in list(logs_backends[self.account.account_id][self.account.region].groups.values()):
            if group.retention_in_days:
                oldest = (now - int(group.retention_in_days) * _DAY).timestamp() * 1000
                for stream in list(group.streams.values()):
                    stream.events = [event for event in stream.events if event.timestamp > oldest]

    def _delete_keys(self, now: datetime) -> None:
        keys = kms_backends[self.account.account_id][self.account.region].keys
        for key in list(keys.values()):
            due = key.deletion_date
            if key.key_state == "PendingDeletion" and due and due.replace(tzinfo=timezone.utc) <= now:
                del keys[key.id]
                self.account.access.facts.deleted_keys.add(key.id)
                self.account.log(f"the KMS key {key.id} was deleted: its waiting period has ended")

    def _abort_uploads(self, name: str, bucket: Any, rule: Any, prefix: str, now: datetime) -> None:
        for upload, begun in list(self._begun.items()) if rule.aimu_days else ():
            multipart = bucket.multiparts.get(upload)
            if multipart is None or not multipart.key_name.startswith(prefix):
                continue
            if _ended(begun, rule.aimu_days, now):
                uploaded = {"Bucket": name, "Key": multipart.key_name, "UploadId": upload}
                self.account.moto("s3").abort_multipart_upload(**uploaded)

    def _delete_objects(self, name: str, bucket: Any, rule: Any, prefix: str, now: datetime) -> None:
        s3 = self.account.moto("s3")
        for key, versions in list(bucket.keys.lists()):
            if not key.startswith(prefix):
                continue
            current, days = versions[-1], rule.nve_noncurrent_days
            for one, successor in itertools.pairwise(versions) if days else ():
                if _ended(_made(successor), days, now):
                    s3.delete_object(Bucket=name, Key=key, VersionId=one.version_id)
            is_marker = not hasattr(current, "value")
            if rule.expiration_days and not is_marker and _ended(_made(current), rule.expiration_days, now):
                s3.delete_object(Bucket=name, Key=key)

    def _s3(self) -> Any:
        return s3_backends[self.account.account_id][self.account.partition]


def _prefix(rule: Any) -> str | None:
    """Return the prefix of a lifecycle rule; None for a rule that chooses by anything else."""
    if rule.filter is None:
        return str(rule.prefix or "")
    if rule.filter.tag_key or rule.filter.and_filter:
        return None
    return str(rule.filter.prefix or "")


def _made(version: Any) -> datetime:
    made: datetime = version.last_modified
    return made.replace(tzinfo=timezone.utc)


def _ended(since: datetime, days: str, now: datetime) -> bool:
    """Whether so many days have passed; S3 rounds up "to the next day at midnight UTC".

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
    """
    moment = since + int(days) * _DAY
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return now >= (midnight if midnight == moment else midnight + _DAY)
