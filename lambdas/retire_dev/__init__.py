"""Deletes the DEV endpoint after the decision, and lets the next execution deploy its own when it is gone."""
