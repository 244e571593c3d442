"""The command mektep-collector, and the only place that composes the parts."""
