"""The ContentType of each channel, by its files: the built-in algorithms read a file as what it is said to be.

https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from check_dataset.formats import PACKED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from check_dataset.source import Pinned

_TYPES = {
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "jsonl": "application/jsonlines",
    "jsonlines": "application/jsonlines",
    "libsvm": "text/libsvm",
    "ndjson": "application/jsonlines",
    "npy": "application/x-npy",
    "parquet": "application/x-parquet",
    "png": "image/png",
    "rec": "application/x-recordio",
}


def members(channels: Mapping[str, Sequence[Pinned]]) -> dict[str, dict[str, Any]]:
    """The members of each channel of InputDataConfig that is not CSV, which every other channel is said to be."""
    found = {name: _type({_TYPES.get(_suffix(one), "") for one in objects}) for name, objects in channels.items()}
    return {name: {"ContentType": type_} for name, type_ in found.items() if type_}


def _suffix(pinned: Pinned) -> str:
    return pinned.entry.name.lower().removesuffix(PACKED).rpartition(".")[2]


def _type(types: set[str]) -> str:
    if len(types) == 1:
        return types.pop()
    return "application/x-image" if all(one.startswith("image/") for one in types) else ""
