"""What AWS refuses although its service models would take it: a table of rules, each with its source."""
