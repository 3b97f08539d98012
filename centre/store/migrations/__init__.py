"""The steps that bring a database from each schema of the past to the present one, run by Alembic."""
