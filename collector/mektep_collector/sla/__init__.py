"""Pure: what the numbers mean against norm and contract."""
