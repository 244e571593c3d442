"""The frozen documents that pages and files are made from."""
