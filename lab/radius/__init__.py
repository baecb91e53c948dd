"""FreeRADIUS with rlm_sql: its schema on SQLite, and a small server that answers from the rows (RFC 2865, RFC 2866)."""
