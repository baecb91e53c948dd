"""The few pieces of SQL that conditions are made of. Names come from the schema, values are always bound."""


def marks(count: int) -> str:
    """Return so many placeholders: `?, ?, ?`."""
    return ", ".join("?" * count)


def among(column: str, count: int) -> str:
    """The column has one of `count` values."""
    return f'"{column}" IN ({marks(count)})'


def member(column: str, count: int = 1) -> str:
    """The list in a JSON column has one of `count` values."""
    # said first for the partial index on the lists that are not empty
    return f'"{column}" <> \'[]\' AND EXISTS (SELECT 1 FROM json_each("{column}") WHERE value IN ({marks(count)}))'  # noqa: S608


def pointing(column: str, table: str, where: str) -> str:
    """The column refers to an object of `table` for which `where` holds."""
    return f'"{column}" IN (SELECT id FROM "{table}" WHERE {where})'  # noqa: S608
