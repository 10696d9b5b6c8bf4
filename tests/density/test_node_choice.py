import numpy as np

from bayesmlm.density.node_choice import MOST, choose_nodes


def test_doubled_until_nothing_moves():
    asked = []

    def values(nodes, points):
        asked.append(nodes)
        return np.array([0.0, 1 / nodes**2])

    nodes, move = choose_nodes(values, np.zeros((2, 1)))
    assert nodes == 14 and move < 0.01
    assert asked == [7, 14, 28]
    assert 1 / 7**2 - 1 / 14**2 > 0.01 > 1 / 14**2 - 1 / 28**2


def test_the_most_nodes_and_what_still_moves():
    nodes, move = choose_nodes(lambda nodes, points: np.array([float(nodes)]), np.zeros((1, 1)))
    assert nodes == MOST and move == MOST
