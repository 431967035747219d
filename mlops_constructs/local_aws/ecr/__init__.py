"""ECR: repositories that hold real images."""
