"""NETCONF as a transaction needs it: RPCs sent as the text they are, rpc-errors in full, reading back, checks."""
