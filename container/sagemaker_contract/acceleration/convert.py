"""From a trained model to ONNX."""

from __future__ import annotations

from typing import Any


def onnx_from_sklearn(model: Any) -> bytes | None:
    """A scikit-learn model as ONNX; ``None`` when no converter is installed.

    Trees compare in 32 bits, as scikit-learn's own do; everything else computes in 64 bits, as scikit-learn does.
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
