"""What runs beside requests, at its own pace."""
