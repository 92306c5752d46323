"""SkeleTR Live: recognise what people do, and do with each other, from their skeletons."""

__version__ = "0.1.0"
