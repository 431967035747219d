"""The data set: where it is uploaded, what it must contain, and what starts an execution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import Problem, under
from ._buckets import bucket_problems
from ._part import Part
from ._rules import boolean, in_range, matches, one_of, reference
from ._tokens import is_token
from .contract import DataContract
from .requests import Requests
from .schedule import schedule_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER = r"(?!/)[\w.\-/]{1,199}/"
# In an EventBridge wildcard pattern, '*' and '\' are special characters.
_SUFFIX = r"[\w.\-]{1,99}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(Part):
    """The folder in a bucket whose new objects start the pipeline, unless ``start_on_upload`` is False.

    An object under ``prefix`` is a data set. A ``.json`` object there is a manifest, written last, that names the
    objects of each channel. A ``trainingjob.zip`` there describes a training job in the format of AWS's MLOps workshop.
    Each upload starts one execution, on exactly that object version, in the order of the uploads; folder markers and
    empty objects start nothing. Without ``bucket_name`` the pipeline creates a bucket.

    Attributes:
        prefix: Folder that starts the pipeline, ending in ``/``. Literal.
        suffix: Only objects whose key also ends with this start the pipeline, such as ``.csv``; None for all. Literal.
        objects_prefix: Folder of the objects that manifests name; uploads there start nothing. None where these
            objects are under ``prefix`` and ``suffix`` excludes them. Literal.
        input_buckets: Names of other buckets whose objects a ``trainingjob.zip`` may name; how many there
            are must be known at synth. References.
        max_megabytes: Refuse a larger data set before training costs anything, 1 to 5,000,000 MB. Literal.
            One object may have at most 5 GB, the limit of S3 CopyObject:
            https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
        max_inspected_megabytes: How much of a data set is inspected before training, 1 to 1,000 MB, shared evenly among
            its files; the action's summary says when a file was inspected only in part. Literal.
        contract: What the data set must contain, or None to check the format only.
        requests: What a ``trainingjob.zip`` may request in place of the configuration, such as another instance type.
            None allows nothing beyond the configuration.
        duplicates: What happens when a candidate was trained on the same content (by SHA-256) before: ``allow`` trains
            again, ``refuse`` fails the execution, ``skip`` stops it without a failure. Literal.
        schedule_expression: Also start regularly, on the newest data set under ``prefix``: an EventBridge ``rate(...)``
            or ``cron(...)`` in UTC, or None. If there is no data set, such an execution fails at Source. Literal.
            https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
        start_on_upload: Whether an upload starts an execution. With False data sets gather under ``prefix`` until the
            schedule, an alarm (``Retraining``) or ``mlops start`` starts one. Literal.
        bucket_name: An existing bucket, see ``from_bucket``. Reference.
        kms_key_arn: KMS key of the existing bucket, or None when it uses S3 managed keys (SSE-S3). Reference.
        manage_notifications: Whether the pipeline sets the existing bucket's notifications, see ``from_bucket``.
            Literal.
    """

    prefix: str = "datasets/"
    suffix: str | None = None
    objects_prefix: str | None = "data/"
    input_buckets: Sequence[str] = ()
    max_megabytes: int = 5_000
    max_inspected_megabytes: int = 256
    contract: DataContract | None = None
    requests: Requests | None = None
    duplicates: Literal["allow", "refuse", "skip"] = "allow"
    schedule_expression: str | None = None
    start_on_upload: bool = True
    bucket_name: str | None = None
    kms_key_arn: str | None = None
    manage_notifications: bool = False

    @classmethod
    def from_bucket(
        cls,
        bucket_name: str,
        *,
        prefix: str = "datasets/",
        suffix: str | None = None,
        objects_prefix: str | None = None,
        kms_key_arn: str | None = None,
        manage_notifications: bool = False,
        input_buckets: Sequence[str] = (),
        max_megabytes: int = 5_000,
        max_inspected_megabytes: int = 256,
        contract: DataContract | None = None,
        requests: Requests | None = None,
        duplicates: Literal["allow", "refuse", "skip"] = "allow",
        schedule_expression: str | None = None,
        start_on_upload: bool = True,
    ) -> Dataset:
        """Use an existing bucket in the same account and region; the pipeline reads only ``prefix`` of it.

        The bucket is not changed. Its owner must do two things, which the output ``data_bucket_needs`` repeats:

        - Enable versioning, which CodePipeline's S3 source requires:
          https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
        - Send the bucket's events to EventBridge:
          https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html.
          With ``manage_notifications`` the pipeline does that, and thereby **replaces every other
          notification of the bucket**, because S3 has one notification configuration per bucket.

        A bucket with a customer managed key also needs a key policy that delegates access to IAM policies.

        Args:
            bucket_name: Its name. Reference.
            prefix, suffix: As in the class.
            objects_prefix: A second folder that the pipeline may read, for the objects that manifests name.
            kms_key_arn: Its KMS key, or None when it uses S3 managed keys (SSE-S3). Reference.
            manage_notifications: Whether to replace its notification configuration by one that sends to EventBridge.
            input_buckets, max_megabytes, max_inspected_megabytes, contract, requests, duplicates, schedule_expression,
                start_on_upload: As in the class.
        """
        return cls(
            prefix=prefix,
            suffix=suffix,
            objects_prefix=objects_prefix,
            input_buckets=input_buckets,
            max_megabytes=max_megabytes,
            max_inspected_megabytes=max_inspected_megabytes,
            contract=contract,
            requests=requests,
            duplicates=duplicates,
            schedule_expression=schedule_expression,
            start_on_upload=start_on_upload,
            bucket_name=bucket_name,
            kms_key_arn=kms_key_arn,
            manage_notifications=manage_notifications,
        )

    @property
    def folders(self) -> list[str]:
        """The folders of the bucket that the pipeline reads."""
        return [folder for folder in (self.prefix, self.objects_prefix) if folder is not None]

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from matches(
            "prefix",
            self.prefix,
            _FOLDER,
            "must be a folder that ends in '/'",
            "use for example 'datasets/'",
        )
        yield from self._objects_problems()
        if self.suffix is not None:
            rule = "must have 1 to 99 letters, digits, '.', '_' and '-'"
            yield from matches("suffix", self.suffix, _SUFFIX, rule, "use for example '.csv'")
            if self.requests is not None and not is_token(self.suffix) and not "trainingjob.zip".endswith(self.suffix):
                rule = f"needs a suffix that 'trainingjob.zip' has, not {self.suffix!r}: only that object can request"
                yield Problem("requests", rule, self.requests, "use suffix='.zip', or remove one of the two")
        yield from in_range("max_megabytes", self.max_megabytes, 1, 5_000_000, "MB")
        yield from in_range("max_inspected_megabytes", self.max_inspected_megabytes, 1, 1_000, "MB")
        yield from one_of("duplicates", self.duplicates, ("allow", "refuse", "skip"))
        for name in ("manage_notifications", "start_on_upload"):
            yield from boolean(name, getattr(self, name))
        if self.schedule_expression is not None:
            yield from schedule_problems("schedule_expression", self.schedule_expression)
        for name in ("contract", "requests"):
            part = getattr(self, name)
            if part is not None:
                yield from under(name, part.problems())
        yield from self._bucket_problems()

    def _objects_problems(self) -> Iterator[Problem]:
        folder = self.objects_prefix
        if folder is None:
            return
        remedy = "use for example 'data/'"
        yield from matches("objects_prefix", folder, _FOLDER, "must be a folder that ends in '/'", remedy)
        if not is_token([folder, self.prefix]) and folder.endswith("/") and self.prefix.endswith("/"):
            if folder.startswith(self.prefix) and self.suffix is None:
                rule = f"must not be in prefix ({self.prefix!r}), where each object would start the pipeline"
                yield Problem("objects_prefix", rule, folder, remedy)
            elif self.prefix.startswith(folder):
                rule = f"must not be in objects_prefix ({folder!r}), which contains the objects that manifests name"
                yield Problem("prefix", rule, self.prefix, "use for example 'datasets/'")

    def _bucket_problems(self) -> Iterator[Problem]:
        names = {f"input_buckets[{index}]": name for index, name in enumerate(self.input_buckets)}
        if self.bucket_name is not None:
            names["bucket_name"] = self.bucket_name
        else:
            remedy = "use Dataset.from_bucket, or omit it: the pipeline's own bucket has its own key"
            if self.kms_key_arn is not None:
                yield Problem("kms_key_arn", "is only for an existing bucket", self.kms_key_arn, remedy)
            if self.manage_notifications is True:
                yield Problem("manage_notifications", "is only for an existing bucket", True, remedy)
        if self.kms_key_arn is not None and self.bucket_name is not None:
            rule, remedy = "must be the ARN of a KMS key", "give the ARN, not a name or an alias"
            yield from reference("kms_key_arn", self.kms_key_arn, r"arn:\S*:kms:\S+:key/\S+", rule, remedy)
        for field, name in names.items():
            yield from bucket_problems(field, name)
