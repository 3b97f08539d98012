"""What Alembic runs for each of its commands: the migrations, over the connection that `store/migration.py` opened."""

from alembic import context

from centre.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=context.config.attributes["version_table"],
    render_as_batch=True,
    compare_type=True,
    # SQLite can undo DDL too, if the driver does not commit before it; ours does not (`store/database.py`).
    transactional_ddl=True,
)
context.run_migrations()
