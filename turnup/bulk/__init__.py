"""Bulk files: many orders in one CSV, JSON Lines or YAML file. docs/playbooks.md says how they look."""
