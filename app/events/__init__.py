"""What happened: the events of each tenant, in order, to whoever wants to know."""
