"""The model, for the script that trains and the functions that serve."""

from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def build(n_neighbors: int, weights: str) -> Pipeline:
    """Make the untrained model."""
    return make_pipeline(StandardScaler(), KNeighborsClassifier(n_neighbors, weights=weights))
