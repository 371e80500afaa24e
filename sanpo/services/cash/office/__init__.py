"""The officer's pages: the register of shops."""
