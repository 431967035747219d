"""Print the iris data as training data: the label first, no header line."""

from sklearn.datasets import load_iris

iris = load_iris()
for row, label in zip(iris.data, iris.target, strict=True):
    print(iris.target_names[label], *row, sep=",")
