"""What SageMaker's instances cost: a dated table, and the arithmetic. Pure Python, no AWS and no network."""

from .amounts import HOURS_PER_MONTH, Amount, total
from .table import Price, Usage, alarm_price, hourly_price, regions, storage_price

__all__ = [
    "HOURS_PER_MONTH",
    "Amount",
    "Price",
    "Usage",
    "alarm_price",
    "hourly_price",
    "regions",
    "storage_price",
    "total",
]
