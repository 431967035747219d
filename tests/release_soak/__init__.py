"""Random histories of a deployed pipeline: releases, decisions, edits by hand, and one fault at a time."""
