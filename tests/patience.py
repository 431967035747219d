"""How long a test waits for what must happen: it ends one that hangs, and never tells how busy the machine is."""

PATIENCE_SECONDS = 180
