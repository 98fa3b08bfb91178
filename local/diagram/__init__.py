"""A picture of a stack: its resources, rooms and dependencies as the engine knows them, drawn as SVG."""
