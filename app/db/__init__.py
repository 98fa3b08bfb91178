"""The engines behind the application: PostgreSQL and Redis connections, and the SQL migrations."""
