"""AWS's on-demand prices in US dollars, each block with its source and date. What is in no block is unknown.

AWS offers its price list as a public file for each region, which needs no account:
https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonSageMaker/current/us-east-1/index.json. The numbers below
are from public documents that quote it with usage type and date, and from a published bill. Add a number only with a
source that names it; never derive one from another instance type, use or region.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Usage = Literal["training", "processing", "transform", "hosting", "notebook"]
StorageUsage = Literal["training", "processing", "hosting", "notebook", "s3"]


@dataclass(frozen=True, slots=True)
class Block:
    """Prices with one source.

    Attributes:
        region: Region of the prices.
        source: Where they are from.
        date: Date of the prices, as precisely as the source tells it.
        hourly: Use, then instance type, to the price of an hour.
        storage: Use to the price of a GB for a month.
        alarm_metric: Price of each metric of CloudWatch's alarms for a month, or None.
    """

    region: str
    source: str
    date: str
    hourly: Mapping[Usage, Mapping[str, float]] = field(default_factory=dict)
    storage: Mapping[StorageUsage, float] = field(default_factory=dict)
    alarm_metric: float | None = None


_LIST = "AWS price list (AmazonSageMaker)"

# Of each region the newest first: the first block that has a price decides.
BLOCKS = (
    Block(
        region="us-east-1",
        source="c3x.dev/resources/aws/aws_cloudwatch_metric_alarm, standard resolution (second-hand)",
        date="2026-11",
        alarm_metric=0.10,
    ),
    Block(
        region="us-east-1",
        source=_LIST,
        date="2026-09-28",
        # Usage types USE1-Host:ml.m5.xlarge and USE1-Host:ml.m5.2xlarge.
        hourly={"hosting": {"ml.m5.xlarge": 0.23, "ml.m5.2xlarge": 0.461}},
    ),
    Block(
        region="us-east-1",
        source="AWS's pricing page of SageMaker, example of asynchronous inference",
        date="2026-09-27",
        storage={"hosting": 0.14},
    ),
    Block(
        region="us-east-1",
        source=_LIST,
        date="2026-09-24",
        # Usage types USE1-Notebk, USE1-Train and USE1-Processing.
        hourly={
            "notebook": {
                "ml.t3.medium": 0.05,
                "ml.m5.xlarge": 0.23,
                "ml.m5.4xlarge": 0.922,
                "ml.m6i.4xlarge": 0.922,
                "ml.r5.4xlarge": 1.21,
                "ml.r6i.4xlarge": 1.21,
                "ml.r6i.8xlarge": 2.419,
                "ml.r7i.2xlarge": 0.635,
                "ml.c6i.8xlarge": 1.632,
                "ml.g4dn.xlarge": 0.736,
                "ml.g5.xlarge": 1.41,
                "ml.g6.xlarge": 1.127,
            },
            "training": {
                "ml.m5.xlarge": 0.23,
                "ml.m5.4xlarge": 0.922,
                "ml.m6i.4xlarge": 0.922,
                "ml.r5.4xlarge": 1.21,
                "ml.r7i.2xlarge": 0.635,
                "ml.r7i.4xlarge": 1.2701,
                "ml.c6i.8xlarge": 1.632,
                "ml.g4dn.xlarge": 0.736,
                "ml.g5.xlarge": 1.408,
                "ml.g6.xlarge": 1.127,
            },
            "processing": {
                "ml.t3.medium": 0.05,
                "ml.m5.xlarge": 0.23,
                "ml.m5.4xlarge": 0.922,
                "ml.m6i.4xlarge": 0.922,
                "ml.r5.4xlarge": 1.21,
                "ml.r7i.2xlarge": 0.635,
                "ml.r7i.4xlarge": 1.2701,
                "ml.c6i.8xlarge": 1.632,
                "ml.g4dn.xlarge": 0.736,
                "ml.g5.xlarge": 1.408,
                "ml.g6.xlarge": 1.1267,
            },
        },
    ),
    Block(
        region="us-east-1",
        source=_LIST,
        date="2026-09-20",
        # Usage type USE1-Host:ml.g6e.2xlarge.
        hourly={"hosting": {"ml.g6e.2xlarge": 2.8026}},
    ),
    Block(
        region="us-east-1",
        source="AWS price list (AmazonS3), S3 Standard, the first 50 TB",
        date="2026-09-18",
        storage={"s3": 0.023},
    ),
    Block(
        region="us-east-1",
        source=_LIST,
        date="2026-08-20",
        # Usage type USE1-Train:ml.g5.2xlarge.
        hourly={"training": {"ml.g5.2xlarge": 1.515}},
    ),
    Block(
        region="us-east-1",
        source=_LIST,
        date="2026-08-11",
        # Usage type USE1-Train:ml.m5.large.
        hourly={"training": {"ml.m5.large": 0.115}},
    ),
    Block(
        region="us-east-1",
        source=_LIST,
        date="2026-07-30",
        # Usage types USE1-Host:ml.m5.large and USE1-Processing:ml.m5.large.
        hourly={"hosting": {"ml.m5.large": 0.115}, "processing": {"ml.m5.large": 0.115}},
    ),
    Block(
        region="ap-south-1",
        source=_LIST,
        date="2026-09-24",
        hourly={
            "notebook": {
                "ml.t3.medium": 0.054,
                "ml.m5.xlarge": 0.242,
                "ml.m5.4xlarge": 0.97,
                "ml.m6i.4xlarge": 0.97,
                "ml.r5.4xlarge": 1.248,
                "ml.r6i.4xlarge": 1.248,
                "ml.r6i.8xlarge": 2.496,
                "ml.r7i.2xlarge": 0.655,
                "ml.r7i.4xlarge": 1.31,
                "ml.c6i.8xlarge": 1.632,
                "ml.g4dn.xlarge": 0.811,
                "ml.g5.xlarge": 1.69,
                "ml.g6.xlarge": 1.353,
            },
            "training": {
                "ml.m5.xlarge": 0.242,
                "ml.m5.4xlarge": 0.97,
                "ml.m6i.4xlarge": 0.97,
                "ml.r5.4xlarge": 1.248,
                "ml.r7i.2xlarge": 0.6552,
                "ml.r7i.4xlarge": 1.3104,
                "ml.c6i.8xlarge": 1.632,
                "ml.g4dn.xlarge": 0.811,
                "ml.g5.xlarge": 1.69,
                "ml.g6.xlarge": 1.353,
            },
            "processing": {
                "ml.t3.medium": 0.054,
                "ml.m5.xlarge": 0.242,
                "ml.m5.4xlarge": 0.97,
                "ml.m6i.4xlarge": 0.97,
                "ml.r5.4xlarge": 1.248,
                "ml.r7i.2xlarge": 0.6552,
                "ml.r7i.4xlarge": 1.3104,
                "ml.c6i.8xlarge": 1.632,
                "ml.g4dn.xlarge": 0.811,
                "ml.g5.xlarge": 1.691,
                "ml.g6.xlarge": 1.353,
            },
        },
    ),
    Block(
        region="eu-west-1",
        source="AWS's bill in github.com/aws-samples/sagemaker-ssh-helper, Sample_Costs.md",
        date="2023-12",
        hourly={
            "notebook": {"ml.t3.medium": 0.055},
            "training": {"ml.m5.xlarge": 0.257, "ml.g4dn.xlarge": 0.822, "ml.g5.xlarge": 1.57, "ml.p3.2xlarge": 4.131},
            "processing": {"ml.m5.xlarge": 0.257},
            "hosting": {
                "ml.m5.xlarge": 0.257,
                "ml.g4dn.xlarge": 0.821,
                "ml.g4dn.4xlarge": 1.678,
                "ml.g4dn.12xlarge": 5.453,
                "ml.g5.12xlarge": 7.91,
            },
        },
        storage={"training": 0.154, "processing": 0.11, "hosting": 0.154, "notebook": 0.154},
    ),
)
