"""A small AWS on this machine, and the rehearsal of a whole pipeline on it."""
