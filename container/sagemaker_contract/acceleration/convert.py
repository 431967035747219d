"""Convert a trained model to ONNX."""

from __future__ import annotations

from typing import Any


def onnx_from_sklearn(model: Any) -> bytes | None:
    """Convert a scikit-learn model to ONNX; ``None`` if skl2onnx is not installed.

    Trees compare 32-bit values, all other models compute with 64-bit values: as in scikit-learn.
    """
    try:
        import skl2onnx
        from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
    except ModuleNotFoundError:
        return None
    is_tree = hasattr(model, "tree_") or hasattr(model, "estimators_")
    number_type = FloatTensorType if is_tree else DoubleTensorType
    options = {id(model): {"zipmap": False}} if hasattr(model, "classes_") else None
    converted = skl2onnx.convert_sklearn(
        model, initial_types=[("records", number_type([None, model.n_features_in_]))], options=options
    )
    return bytes(converted.SerializeToString())
