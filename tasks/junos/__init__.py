"""Junos by NAPALM: what a transaction asks of the router, and what became of one whose session was lost."""
