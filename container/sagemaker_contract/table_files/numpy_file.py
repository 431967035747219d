"""A NumPy file (``.npy``) with a table: numbers or texts in two dimensions. Nothing is unpickled."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.cells import parse_numbers, typed_numbers
from sagemaker_contract.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sagemaker_contract.columns import Layout

_ROWS_AT_ONCE = 1024
_MAX_NUMBER_BYTES = 8
_FIRST_SURROGATE = 0xD800


def read_numpy(
    file: Path, layout: Layout
) -> tuple[Iterator[tuple[str, list[Any]]], Callable[[Sequence[Any]], list[float]]]:
    """Return the rows of a file, and the function that parses their cells as numbers.

    Raises:
        DataError: For a file that is not a NumPy file, must be unpickled, or is no table.
    """
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # A broken header raises whatever Python's tokenizer and parser do.
        raise DataError(f"{file.name} is not a whole NumPy file of numbers or texts: {error}; save it again") from None
    if not isinstance(array, np.ndarray) or array.ndim != 2:
        shape = getattr(array, "shape", "several arrays")
        raise DataError(f"{file.name}: {shape} is not a table; save an array of two dimensions, rows and columns")
    number = array.dtype.kind in "biuf" and array.dtype.itemsize <= _MAX_NUMBER_BYTES
    if not number and (array.dtype.kind != "U" or not array.dtype.itemsize):
        raise DataError(f"{file.name}: {array.dtype} is neither numbers nor texts; convert it")
    layout.check_width(file.name, array.shape[1])
    return _rows(file.name, array), typed_numbers if number else parse_numbers


def _rows(name: str, array: np.ndarray[Any, Any]) -> Iterator[tuple[str, list[Any]]]:
    for start in range(0, len(array), _ROWS_AT_ONCE):
        block = np.ascontiguousarray(array[start : start + _ROWS_AT_ONCE])
        if block.dtype.kind == "U" and not _is_unicode(block):
            raise DataError(f"{name}: a text after record {start} is not Unicode; save it again")
        for number, cells in enumerate(block.tolist(), start=start + 1):
            yield f"{name} record {number}", cells


def _is_unicode(block: np.ndarray[Any, Any]) -> bool:
    """Whether all texts are Unicode: NumPy makes strings of any numbers, and Python fails on them later."""
    codes = block.astype(block.dtype.newbyteorder("=")).view(np.uint32)
    surrogates = (codes >= _FIRST_SURROGATE) & (codes < _FIRST_SURROGATE + 0x800)
    return not bool((surrogates | (codes > sys.maxunicode)).any())
