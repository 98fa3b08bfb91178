"""The infrastructure of VANTA as a Pulumi program: one room a file, one cloud a folder."""
