"""Lambda: functions that run, each in a process of its own."""
