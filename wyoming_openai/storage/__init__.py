"""Files and databases of the data folder."""
