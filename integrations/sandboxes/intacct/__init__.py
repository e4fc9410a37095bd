"""A stand-in for the Sage Intacct XML gateway. README.md beside this file says what it imitates and what it leaves out."""

from integrations.sandboxes.intacct.app import IntacctWorld

__all__ = ["IntacctWorld"]
