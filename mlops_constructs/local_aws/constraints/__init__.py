"""Requests that AWS rejects although they match its service models: a table of rules, each with its source."""
