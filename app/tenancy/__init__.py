"""Who is asking and what they may: tenants, keys, tokens, rates; their beginning and their end."""
