"""The data set: where it lands, and what starts a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._rules import in_range, matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The bucket folder whose new objects start the pipeline.

    An object under ``prefix`` is a data set; a ``.json`` object there is a manifest, written last, that names the
    objects of each channel (they lie elsewhere in the bucket). Each upload starts one execution, on exactly that
    object version.

    Attributes:
        prefix: Folder in the data bucket, ending in ``/``. Literal.
        maximum_megabytes: Refuse a data set larger than this before any training cost, 1 to 5,000,000 MB. One
            object is limited to 5 GB by S3 CopyObject:
            https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    """

    prefix: str = "datasets/"
    maximum_megabytes: int = 5_000

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from matches(
            "prefix",
            self.prefix,
            r"(?!/)(?!data/)[\w.\-/]{1,199}/",
            "must be a folder that ends in '/', not 'data/', which holds the objects that manifests name",
            "use for example 'datasets/'",
        )
        yield from in_range("maximum_megabytes", self.maximum_megabytes, 1, 5_000_000, "MB")
