"""CloudWatch of the local AWS: the metrics that AWS's services publish."""
