"""NumPy's own format."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_contract.errors import InputError, RequestError
from sagemaker_contract.formats.limits import DEFAULT, Limits
from sagemaker_contract.formats.records import from_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sagemaker_contract.formats.records import Records


def decode_npy(body: bytes, limits: Limits = DEFAULT) -> Records:
    """Read an array as ``numpy.save`` writes it: rows x columns, or one row. Pickles are never read."""
    if not body:
        raise InputError("the body is empty")
    stream = io.BytesIO(body)
    try:
        version = np.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"its format has version {version[0]}.{version[1]}; 1.0 and 2.0 can be read")
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, kind = read_header(stream)
    except Exception as error:
        # The header is Python text, and the exceptions of its parser are not documented.
        raise InputError(f"the body is not a NumPy array: {error}") from None
    if kind.kind not in "fiu":
        raise InputError(f"the array must contain numbers, not {kind}")
    if len(shape) not in (1, 2):
        raise InputError(f"the array must have one or two dimensions, not {len(shape)}")
    if 0 in shape:
        raise InputError("there are no records")
    # NumPy accepts any int in a header: True is one, and so are negative numbers.
    if any(type(size) is not int or size < 0 for size in shape):
        raise InputError(f"the array's header declares {shape}, which is not the shape of an array")
    limits.check(shape[0] if len(shape) == 2 else 1, shape[-1])
    content = memoryview(body)[stream.tell() :]
    # Compare the sizes before memory is allocated for the size in the header.
    if math.prod(shape) * kind.itemsize != len(content):
        raise InputError(f"the array's header declares {shape} of {kind}, but its data has {len(content)} bytes")
    array = np.frombuffer(content, dtype=kind).reshape(shape, order="F" if by_columns else "C")
    # A number of 16 bytes may be too large; it becomes infinite, which is refused.
    with np.errstate(over="ignore"):
        return from_array(np.atleast_2d(array).astype(np.float64, order="C"))


def encode_npy(predictions: Sequence[Any]) -> bytes:
    """Write the predictions as one array, as ``numpy.save`` does."""
    try:
        array = np.array(predictions)
        stream = io.BytesIO()
        np.save(stream, array, allow_pickle=False)
    except ValueError:
        raise RequestError(406, "the predictions are not an array of one type; accept another media type") from None
    return stream.getvalue()
