"""What a case saw: the packets of both directions on one time axis, and what the watch makes of them."""
