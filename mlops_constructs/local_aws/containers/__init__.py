"""Where containers run: a Docker engine, or programs as processes in virtual environments."""
