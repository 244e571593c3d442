"""Logging in by an OpenID provider: authorization code with PKCE (OpenID Connect Core 1.0; RFC 6749, 7636, 9700).

The protocol stays in this folder, and needs authlib, which is an extra. Nothing that the provider says is believed
before it is checked, nothing that it sends is longer or later than it may be, and nothing of a token is logged.
"""
