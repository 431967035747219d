"""The model for sagemaker-inference, which decodes and encodes with its defaults."""

from pathlib import Path

import joblib


def model_fn(model_dir, context=None):
    return joblib.load(Path(model_dir) / "model.joblib")


def predict_fn(data, model, context=None):
    return model.predict(data.reshape(-1, model.n_features_in_))
