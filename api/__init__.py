"""The door for machines and people: listeners and (later) the TM Forum APIs."""
