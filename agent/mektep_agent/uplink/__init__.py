"""From the outbox to the collector: what is sent, what each answer means, and when to try again.

Judging answers is pure; HTTP lives in a process of its own that ends when there is nothing more to send, so that the
daemon at rest carries neither an HTTP client nor a cryptography library.
"""
