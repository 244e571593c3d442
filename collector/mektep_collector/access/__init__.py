"""Who may see and do what: roles, regions, and what an entrance says of a visitor. Pure."""
