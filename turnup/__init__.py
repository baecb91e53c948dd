"""The program: settings, wiring and the command line. Knows every room; no room imports it."""
