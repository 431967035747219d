"""Places the models of champion and challenger in the slots of the production endpoint, and begins the test."""
