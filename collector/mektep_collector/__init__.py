"""The ministry's collector: accepts readings once, keeps them, and answers for them."""
