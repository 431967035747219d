"""The watch over production, from its baseline to its alarms."""
