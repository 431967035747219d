"""Trains a model of the species of flowers: a script for AWS's scikit-learn image.

Hyperparameters are arguments; the channels and the folder of the model are in the toolkit's variables.
"""

import argparse
import os
from pathlib import Path

import joblib
import pandas as pd
from model import build


def read(channel: str) -> tuple[pd.DataFrame, pd.Series]:
    """Read a channel: the label is the first column."""
    folder = Path(os.environ[f"SM_CHANNEL_{channel.upper()}"])
    table = pd.concat(pd.read_csv(file, header=None) for file in sorted(folder.glob("*.csv")))
    return table.iloc[:, 1:], table.iloc[:, 0]


def main() -> None:
    """Train, print the metrics of the evaluation gate, and save the model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n-neighbors", type=int, default=3)
    parser.add_argument("--weights", choices=["uniform", "distance"], default="uniform")
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    options = parser.parse_args()
    model = build(options.n_neighbors, options.weights)
    features, labels = read("train")
    model.fit(features.to_numpy(), labels)
    for channel in ("train", "validation"):
        features, labels = read(channel)
        print(f"{channel}:accuracy={model.score(features.to_numpy(), labels)};")
    joblib.dump(model, Path(options.model_dir) / "model.joblib")


if __name__ == "__main__":
    main()
