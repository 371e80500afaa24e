"""What describes an export to others: a Frictionless data package and a DCAT-AP catalogue. Pure.

Sources: Data Package 2.0 (datapackage.org), DCAT-AP 3.0 (SEMIC) on DCAT 3 (W3C).
"""

from sanpo.lake.package.datapackage import PackagedDataset, datapackage, described_in
from sanpo.lake.package.dcat import dcat_catalogue

__all__ = ["PackagedDataset", "datapackage", "dcat_catalogue", "described_in"]
