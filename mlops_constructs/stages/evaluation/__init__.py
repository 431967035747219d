"""Whether a candidate is good enough: the team's evaluation program, the registration, and the evaluation gate."""
