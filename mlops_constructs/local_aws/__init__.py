"""An AWS account in one process: moto's services, and in front of them the parts that do real work."""
