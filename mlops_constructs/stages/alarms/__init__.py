"""The alarms and notifications of a pipeline: when people are told, of what, and which command says more."""
