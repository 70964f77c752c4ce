"""The run inside pytest: once as a whole, once in each process that runs cases, and for each case."""
