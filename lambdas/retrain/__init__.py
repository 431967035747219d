"""Starts the pipeline on new data because production has drifted or got worse: once, however many alarms there are."""
