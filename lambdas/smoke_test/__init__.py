"""Checks that an endpoint runs the requested model, and that its predictions for the golden records are correct."""
