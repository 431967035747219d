"""Records how a batch ended: its predictions and their number, or the reason why there are none."""
