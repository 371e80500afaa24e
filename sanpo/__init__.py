"""Sanpo (三方): a city operating system in which consent is enforced, provable and pays back three ways."""

__version__ = "0.1.0"
