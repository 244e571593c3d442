"""What is printed: pages of their own, whole without any network, for paper of the size A4."""
