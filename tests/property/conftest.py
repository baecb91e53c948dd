"""Databases, as in the unit tests."""

from __future__ import annotations

from tests.unit.conftest import database_url, postgresql, postgresql_url

__all__ = ["database_url", "postgresql", "postgresql_url"]
