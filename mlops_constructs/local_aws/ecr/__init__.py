"""ECR: repositories with real images."""
