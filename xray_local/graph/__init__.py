"""The service graph: who calls whom, how often, how long it takes and how it ends.

tallies -> graph -> the API's Services, the layout of the map
     `---> series -> the API's time series, insights
"""

from .model import Edge, Graph, Node, build_graph
from .statistics import Statistics

__all__ = ["Edge", "Graph", "Node", "Statistics", "build_graph"]
