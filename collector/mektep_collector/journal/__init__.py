"""Durable acceptance, exactly once."""
