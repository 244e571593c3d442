"""Tests against M-Lab's public servers, by M-Lab's rules; nothing here binds tests against a school's own servers."""
