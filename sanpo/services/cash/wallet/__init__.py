"""The resident's pages: wallet, charging, paying, showing a code, receipts."""
