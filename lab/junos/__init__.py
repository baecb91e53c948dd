"""A Junos personality of the lab: the part of a broadband network gateway that the stock NAPALM driver talks to, over NETCONF."""
