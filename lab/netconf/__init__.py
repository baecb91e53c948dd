"""NETCONF servers of the lab (RFC 6241): an OLT and an access switch that hold Broadband Forum YANG configuration."""
