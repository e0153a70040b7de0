"""Alembic's entry: runs the migrations on the connection that the catalog hands over."""

from alembic import context

from kb.catalog import service_schema

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=service_schema.request.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
