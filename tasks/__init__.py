"""Nornir: connection plugins, render, change, transaction, one module per kind of target."""
