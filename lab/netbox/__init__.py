"""NetBox as the embedded lab plays it: a REST server with NetBox' schema, its claims that cannot race, and its traps."""
