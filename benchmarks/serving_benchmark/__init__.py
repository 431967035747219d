"""`make bench-serving`: this container compared with other model servers for SageMaker."""
