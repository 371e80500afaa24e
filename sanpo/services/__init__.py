"""Services of the city: plug-ins, each with its manifest. None imports another; all load through `sanpo.services`."""
