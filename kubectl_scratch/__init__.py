"""kubectl scratch: debug a copy of a pod, and leave nothing behind."""

__version__ = "0.1.0"
