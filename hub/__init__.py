"""Vitrine: a secure virtual research desktop on JupyterHub."""

__version__ = "0.1.0"
