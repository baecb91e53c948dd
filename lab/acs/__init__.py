"""The auto configuration server: GenieACS' northbound interface (v1.2), a CWMP endpoint (TR-069), and the routers that call it."""
