"""`make bench-serving`: this container beside the usual ways to serve a model on SageMaker."""
