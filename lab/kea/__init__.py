"""Kea 3.0's control channel (DHCPv4 and DHCPv6 servers with the hook libraries host_cmds and lease_cmds), without the DHCP."""
