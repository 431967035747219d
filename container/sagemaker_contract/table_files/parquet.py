"""Parquet: the columns have types, and a type that is not a number is refused by the column's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sagemaker_contract.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow

    from sagemaker_contract.columns import Layout


def read_parquet(file: Path, layout: Layout) -> Iterator[tuple[str, list[Any]]]:
    """Every row, without the index that pandas has stored, unless the data contract names it.

    Raises:
        DataError: If it is not a Parquet file, or a column has a type without meaning for a model.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as source:
            schema = source.schema_arrow
            chosen = _chosen(file.name, schema, layout)
            _check_types(file.name, schema, chosen, layout)
            number = 0
            for batch in source.iter_batches():
                places = [f"{file.name}, {layout.name_of(position)}" for position in range(len(chosen))]
                columns = [_values(place, batch.column(index)) for place, index in zip(places, chosen, strict=True)]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield f"{file.name} row {number}", list(cells)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{file.name} is not a Parquet file: {error}; write it again") from None


def _chosen(name: str, schema: pyarrow.Schema, layout: Layout) -> list[int]:
    """The index of each column in the file, in the order of the layout."""
    if twice := sorted({one for one in schema.names if schema.names.count(one) > 1}):
        raise DataError(f"{name}: two columns are named {twice[0]!r}; rename one")
    wanted = layout.columns.names or ()
    index_names = {one for one in _pandas(schema).get("index_columns", []) if isinstance(one, str)}
    found = [one for one in schema.names if one in wanted or one not in index_names]
    order = layout.order(name, found)
    if None in order:
        missing = ", ".join(one for one in layout.names or () if one not in found)
        raise DataError(f"{name}: there is no column {missing[:200]}, which the data contract names; add it")
    layout.check_width(name, len(order))
    return [schema.names.index(found[index]) for index in order if index is not None]


def _pandas(schema: pyarrow.Schema) -> dict[str, Any]:
    """What pandas has stored about the frame; empty for a file of another program."""
    try:
        return schema.pandas_metadata or {}
    except ValueError:
        return {}


def _check_types(name: str, schema: pyarrow.Schema, chosen: Sequence[int], layout: Layout) -> None:
    for position, index in enumerate(chosen):
        kind = _value_type(schema.field(index).type)
        place = f"{name}, {layout.name_of(position)}"
        if position == layout.label_index:
            if not (_is_number(kind) or _is_text(kind)):
                raise DataError(f"{place}: the label must be text or numbers, not {kind}; convert it")
        elif not (_is_number(kind) or (layout.takes_text and _is_text(kind))):
            raise DataError(f"{place}: {kind} is not a number; {_remedy(kind)}")


def _value_type(kind: pyarrow.DataType) -> pyarrow.DataType:
    from pyarrow import types

    return kind.value_type if types.is_dictionary(kind) else kind


def _is_number(kind: pyarrow.DataType) -> bool:
    from pyarrow import types

    # A column of the type null has only missing values; the row says so.
    numeric = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_null)
    return any(is_one(kind) for is_one in numeric)


def _is_text(kind: pyarrow.DataType) -> bool:
    from pyarrow import types

    texts = (types.is_string, types.is_large_string, types.is_string_view, types.is_binary, types.is_large_binary)
    return any(is_one(kind) for is_one in texts)


def _remedy(kind: pyarrow.DataType) -> str:
    from pyarrow import types

    if types.is_temporal(kind):
        # Its number depends on a unit and an epoch that a request in CSV or JSON would have to repeat.
        return "store it as a number with a meaning, such as an age in days"
    if types.is_nested(kind):
        return "store each value in a column of its own"
    return "encode it as numbers, or remove the column"


def _values(place: str, column: pyarrow.Array) -> list[Any]:
    """The cells as Python values; text that an old writer stored as bytes becomes text."""
    import pyarrow

    kind = _value_type(column.type)
    try:
        texts = pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)
        values: list[Any] = (column.cast("string") if texts else column).to_pylist()
    except pyarrow.ArrowInvalid as error:
        raise DataError(f"{place}: {error}; store the column as text in UTF-8") from None
    return values
