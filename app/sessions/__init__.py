"""Who is signed in: opaque tokens, of which only a hash is kept, read in one round trip and revoked for good."""
