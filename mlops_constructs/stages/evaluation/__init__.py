"""Whether a candidate is good enough: the evaluation program of the team, the registration, the gate."""
