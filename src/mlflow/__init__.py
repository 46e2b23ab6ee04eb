"""The door: names are looked up here and loaded from where they live on first use."""

import os

from mlflow._doorway import attach, install, load
from mlflow._exports import EXPORTS

__version__ = "3.17.2"

install()
__getattr__, __dir__ = attach(__name__, EXPORTS)

# One look: a module that only the stock package has means that its files lie among ours.
if os.path.exists(os.path.join(__path__[0], "rfunc", "__init__.py")):
    load("mlflow._installation").warn_about_stock_files()
