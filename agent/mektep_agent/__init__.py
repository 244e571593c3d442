"""The school agent: measures, keeps, and sends readings."""
