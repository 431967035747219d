"""Checks an endpoint: its model is the requested one, it captures as configured, and its predictions are correct."""
