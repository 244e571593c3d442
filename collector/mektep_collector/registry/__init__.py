"""Schools, devices, codes: who may send, and for whom."""
