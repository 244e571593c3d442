"""What this computer knows of its own link."""
