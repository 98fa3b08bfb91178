"""How the state platform is asked for over HTTP."""
