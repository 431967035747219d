"""Least privilege, proven by mutation: what roles asked for in rehearsals, held against changed policies."""
