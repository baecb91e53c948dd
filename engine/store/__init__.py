"""The tables, which are the only truth, and what is done to them in one transaction."""
