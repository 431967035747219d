"""The functions that serve. Those that are not here are the image's own: ``predict`` is called, and CSV is written."""

from io import StringIO
from pathlib import Path
from typing import Any

import joblib
import pandas as pd


def model_fn(model_dir: str) -> Any:
    """Load the model that ``train.py`` has saved."""
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(input_data: str, content_type: str) -> Any:
    """Read CSV. The image's own function makes one record a one-dimensional array, which scikit-learn refuses."""
    if content_type != "text/csv":
        raise ValueError(f"only text/csv is read, not {content_type}")
    return pd.read_csv(StringIO(input_data), header=None).to_numpy()
