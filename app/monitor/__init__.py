"""What an operator looks at: how everything is doing, from the database, the cache and the API themselves."""
