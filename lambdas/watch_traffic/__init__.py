"""Watches captured requests: which feature has drifted from the training data, how much, since when, how certain."""
