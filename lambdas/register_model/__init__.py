"""Registers the trained model in the model registry, and writes what the deployments need."""
