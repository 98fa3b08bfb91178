"""The platform in layers, each a function from those below it to the rooms that it declares."""
