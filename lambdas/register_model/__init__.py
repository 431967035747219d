"""Puts the trained model into the registry, and writes what the deployments need to know."""
