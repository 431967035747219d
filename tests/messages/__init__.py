"""Every message that a person can meet, found in the source, and the list of those that a reader has approved."""
