"""The data set: where it lands, what it must hold, and what starts a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import Problem, under
from ._rules import boolean, bucket_name, in_range, matches, one_of
from .schedule import schedule_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .contract import DataContract

_FOLDER = r"(?!/)[\w.\-/]{1,199}/"
# In an EventBridge wildcard '*' and '\' have a meaning.
_SUFFIX = r"[\w.\-]{1,99}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The bucket folder whose new objects start the pipeline.

    An object under ``prefix`` is a data set. A ``.json`` object there is a manifest, written last, that names the
    objects of each channel. A ``trainingjob.zip`` there describes a training as the MLOps workshop of AWS does. Each
    upload starts one execution, on exactly that object version, in the order of the uploads; folder markers and empty
    objects start nothing. Without ``bucket_name`` the pipeline makes a bucket of its own.

    Attributes:
        prefix: Folder that starts the pipeline, ending in ``/``. Literal.
        suffix: Only objects whose key also ends with this start the pipeline, such as ``.csv``; None for all. Literal.
        objects_prefix: Folder of the objects that manifests name, which start nothing; None where they lie under
            ``prefix`` and ``suffix`` keeps them from starting anything. Literal.
        input_buckets: Names of other buckets whose objects a ``trainingjob.zip`` may name. References.
        max_megabytes: Refuse a data set larger than this before any training cost, 1 to 5,000,000 MB. Literal.
            One object is limited to 5 GB by S3 CopyObject:
            https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
        max_inspected_megabytes: How much of a data set is looked into before training, 1 to 1,000 MB, shared fairly by
            its files; the action's summary says when a file was looked at only in part. Literal.
        contract: What the data set must hold, or None for the form alone.
        duplicates: What becomes of content (by SHA-256) that a candidate was trained on before: ``allow`` trains
            again, ``refuse`` fails the execution, ``skip`` stops it without a failure. Literal.
        schedule_expression: Also start regularly, on the newest data set under ``prefix``: an EventBridge ``rate(...)``
            or ``cron(...)`` in UTC, or None. Without any data set such a start fails at Source. Literal.
            https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
        bucket_name: An existing bucket, see ``from_bucket``. Reference.
        kms_key_arn: Key of the existing bucket, or None when it is encrypted with S3's own. Reference.
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
    duplicates: Literal["allow", "refuse", "skip"] = "allow"
    schedule_expression: str | None = None
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
        duplicates: Literal["allow", "refuse", "skip"] = "allow",
        schedule_expression: str | None = None,
    ) -> Dataset:
        """Use an existing bucket of the same account and region; the pipeline reads exactly ``prefix`` of it.

        Nothing of the bucket is changed. Its owner sees to two things, which the output ``data_bucket_needs`` repeats:

        - Versioning is on, as CodePipeline's S3 source demands:
          https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
        - It sends events to EventBridge:
          https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html.
          With ``manage_notifications`` the pipeline switches that on, and thereby **replaces every other
          notification of the bucket**, as S3 keeps one configuration a bucket.

        A bucket with a customer managed key also needs a key policy that lets this account's IAM policies decide.

        Args:
            bucket_name: Its name. Reference.
            prefix, suffix: As in the class.
            objects_prefix: A second folder that the pipeline may read, for the objects that manifests name.
            kms_key_arn: Its key, or None when it is encrypted with S3's own. Reference.
            manage_notifications: Whether to replace its notifications by the one to EventBridge.
            input_buckets, max_megabytes, max_inspected_megabytes, contract, duplicates, schedule_expression: As in
                the class.
        """
        return cls(
            prefix=prefix,
            suffix=suffix,
            objects_prefix=objects_prefix,
            input_buckets=input_buckets,
            max_megabytes=max_megabytes,
            max_inspected_megabytes=max_inspected_megabytes,
            contract=contract,
            duplicates=duplicates,
            schedule_expression=schedule_expression,
            bucket_name=bucket_name,
            kms_key_arn=kms_key_arn,
            manage_notifications=manage_notifications,
        )

    @property
    def folders(self) -> list[str]:
        """The folders of the bucket that are read."""
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
        yield from in_range("max_megabytes", self.max_megabytes, 1, 5_000_000, "MB")
        yield from in_range("max_inspected_megabytes", self.max_inspected_megabytes, 1, 1_000, "MB")
        yield from one_of("duplicates", self.duplicates, ("allow", "refuse", "skip"))
        yield from boolean("manage_notifications", self.manage_notifications)
        if self.schedule_expression is not None:
            yield from schedule_problems("schedule_expression", self.schedule_expression)
        if self.contract is not None:
            yield from under("contract", self.contract.problems())
        yield from self._bucket_problems()

    def _objects_problems(self) -> Iterator[Problem]:
        folder = self.objects_prefix
        if folder is None:
            return
        remedy = "use for example 'data/'"
        yield from matches("objects_prefix", folder, _FOLDER, "must be a folder that ends in '/'", remedy)
        if all(isinstance(one, str) and one.endswith("/") for one in (folder, self.prefix)):
            if folder.startswith(self.prefix) and self.suffix is None:
                rule = f"must not lie in prefix ({self.prefix!r}), where each object would start the pipeline"
                yield Problem("objects_prefix", rule, folder, remedy)
            elif self.prefix.startswith(folder):
                rule = f"must not lie in objects_prefix ({folder!r}), which holds the objects that manifests name"
                yield Problem("prefix", rule, self.prefix, "use for example 'datasets/'")

    def _bucket_problems(self) -> Iterator[Problem]:
        names = {f"input_buckets[{index}]": name for index, name in enumerate(self.input_buckets)}
        if isinstance(self.input_buckets, str):
            yield Problem("input_buckets", "must be a list of bucket names", self.input_buckets, "put it in a list")
            names = {}
        if self.bucket_name is not None:
            names["bucket_name"] = self.bucket_name
        else:
            remedy = "use Dataset.from_bucket, or leave it out: the pipeline's own bucket has its own"
            if self.kms_key_arn is not None:
                yield Problem("kms_key_arn", "belongs to an existing bucket", self.kms_key_arn, remedy)
            if self.manage_notifications is True:
                yield Problem("manage_notifications", "belongs to an existing bucket", True, remedy)
        for field, name in names.items():
            yield from bucket_name(field, name)
