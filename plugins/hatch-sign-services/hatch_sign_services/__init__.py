"""Signing services behind HTTPS: Keyfactor SignServer, and Azure Artifact Signing."""
