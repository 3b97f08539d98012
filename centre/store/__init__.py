"""The SQL database: its schema, its migrations, and every SQL statement of the centre."""
