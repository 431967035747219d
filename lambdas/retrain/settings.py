"""What the function reads from its environment and from its archive."""

from __future__ import annotations

from dataclasses import dataclass

from handler_kit.documents import DocumentBase
from handler_kit.settings import SettingsBase


@dataclass(frozen=True)
class Settings(SettingsBase):
    """
    Attributes:
        pipeline: Name of the pipeline to start.
        data_bucket: Bucket that data sets are uploaded to.
        artifact_bucket: Bucket of the releases, and of what this function writes under ``retraining/<pipeline>/``.
        topic_arn: SNS topic that is notified when an execution has to wait for people.
    """

    pipeline: str
    data_bucket: str
    artifact_bucket: str
    topic_arn: str


@dataclass(frozen=True)
class Document(DocumentBase):
    """
    Attributes:
        reasons: The alarms that may start an execution: ``drift``, ``quality``, ``estimated_quality``.
        min_new_datasets: So many data sets must be newer than those that were trained on.
        cooldown_in_hours: Time between two executions that this function starts.
        max_executions_per_month: So many executions it may start in a calendar month, in UTC.
        action: Name of the pipeline's source action for the data set.
        prefix: Folder of the data sets.
        suffix: End of the keys of data sets; empty for any key.
        start_on_upload: Whether each upload starts an execution by itself.
        ab_test: Whether a release becomes a challenger, while the champion still serves.
    """

    reasons: list[str]
    min_new_datasets: int
    cooldown_in_hours: float
    max_executions_per_month: int
    action: str
    prefix: str
    suffix: str
    start_on_upload: bool
    ab_test: bool

    @property
    def cooldown(self) -> float:
        """The cooldown in seconds."""
        return self.cooldown_in_hours * 3600.0
