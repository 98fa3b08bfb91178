-- Rewrapping reaches the secrets of webhooks. docs/adr/0020-secrets.md

grant update (generation, sealed) on vanta.webhook to vanta_api;
