"""The door of NGSI-LD's HTTP binding (ETSI GS CIM 009 clause 6): parses, calls one action, renders.

`routing` knows the operations, `calls` one request and its answer, `serving` conducts; each other file has the handlers
of one group of resources, with the clause at each. Other parts of the broker add their operations to the same table.
"""
