"""Why a run was slow or failed: looks around it, and a pure verdict on what they showed."""
