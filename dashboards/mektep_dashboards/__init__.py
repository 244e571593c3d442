"""The pages: from frozen documents to HTML and charts."""
