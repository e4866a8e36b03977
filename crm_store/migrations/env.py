"""How Alembic runs here: on the connection, and in the transaction, of `crm_store.schema`."""

from alembic import context

from crm_store.models.all import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # Ours to say: SQLite's DDL rolls back too, once BEGIN is said before it.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
