"""NetBox as resource inventory: claims and pools, Nornir inventory, seeding, audit."""
