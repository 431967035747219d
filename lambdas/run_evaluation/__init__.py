"""Runs the team's evaluation program on held-out data, as a SageMaker processing job."""
