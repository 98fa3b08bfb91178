"""In-process Pulumi providers: the real engine attaches to them where the provider plugins and a cloud account are absent."""
