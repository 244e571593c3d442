"""From store and registry to frozen documents."""
