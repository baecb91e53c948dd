"""Drift: what targets hold beside what they were given, and the way back.

`policy` says what is done about it before a push, `compare` finds it, `check` looks at whole targets, `before` at what a change is about
to touch, `repair` puts back.
"""
