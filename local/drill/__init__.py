"""A region is lost under load, again and again: ``python -m local.drill`` measures what `python -m app dr` takes and loses."""
