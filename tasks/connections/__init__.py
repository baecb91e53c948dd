"""Nornir connection plugins: `netconf` over ncclient, `http` over httpx, and NAPALM's Junos driver on our SSH session."""
