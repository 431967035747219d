"""The actions that the local AWS does, a module each."""
