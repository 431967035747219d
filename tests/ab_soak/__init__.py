"""Random A/B tests against the local AWS, with crashes, hand edits and two commands at once."""
