from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kfnb.ui.graph.layering import spread
from kfnb.ui.graph.layout import MOST_STOPS, Box, arrange


@st.composite
def graphs(draw):
    """Boxes in groups, with edges from earlier to later ones, some backwards."""
    count = draw(st.integers(1, 14))
    boxes = []
    for number in range(count):
        parent = draw(st.sampled_from(["", "", *(box.id for box in boxes)]))
        size = st.floats(20, 200)
        boxes.append(Box(f"n{number}", draw(size), draw(size), parent))
    names = st.sampled_from([box.id for box in boxes])
    return boxes, draw(st.lists(st.tuples(names, names), max_size=30))


def inside(place, other):
    return (
        other.x <= place.x + 1e-6
        and other.y <= place.y + 1e-6
        and place.x + place.width <= other.x + other.width + 1e-6
        and place.y + place.height <= other.y + other.height + 1e-6
    )


def apart(one, other):
    return (
        one.x + one.width <= other.x + 1e-6
        or other.x + other.width <= one.x + 1e-6
        or one.y + one.height <= other.y + 1e-6
        or other.y + other.height <= one.y + 1e-6
    )


@settings(max_examples=150)
@given(graphs())
def test_boxes_never_overlap_and_groups_hold_what_is_theirs(graph):
    boxes, edges = graph
    layout = arrange(boxes, edges)
    by_parent = {}
    for box in boxes:
        by_parent.setdefault(box.parent, []).append(layout.places[box.id])
        if box.parent:
            assert inside(layout.places[box.id], layout.places[box.parent])
    for siblings in by_parent.values():
        assert all(apart(one, other) for one, other in combinations(siblings, 2))
    assert all(
        place.x >= 0 and place.x + place.width <= layout.width + 1e-6 for place in layout.places.values()
    )
    assert all(-1e-6 <= place.y <= layout.height for place in layout.places.values())


@settings(max_examples=150)
@given(graphs())
def test_edges_go_left_to_right_from_border_to_border(graph):
    boxes, edges = graph
    layout = arrange(boxes, edges)
    for route in layout.routes:
        source, target = layout.places[route.source], layout.places[route.target]
        across = [x for x, _ in route.points]
        assert across == sorted(across)
        assert across[0] == pytest.approx(source.x + source.width)
        assert across[-1] == pytest.approx(target.x)
        assert source.y <= route.points[0][1] <= source.y + source.height
        assert target.y <= route.points[-1][1] <= target.y + target.height


@settings(max_examples=150)
@given(graphs())
def test_the_level_part_of_an_edge_runs_through_no_other_box(graph):
    boxes, edges = graph
    layout = arrange(boxes, edges)
    parents = {box.id: box.parent for box in boxes}
    for route in layout.routes:
        siblings = [id for id in parents if parents[id] == parents[route.source] and id != route.source]
        for (start, y), (end, _) in zip(route.points[::2], route.points[1::2], strict=False):
            for place in (layout.places[id] for id in siblings):
                crossed = (
                    start < place.x + place.width and place.x < end and place.y < y < place.y + place.height
                )
                assert not crossed


def test_a_chain_stands_in_a_line():
    layout = arrange([Box(name, 100, 40) for name in "abc"], [("a", "b"), ("b", "c")])
    assert [layout.places[name].x for name in "abc"] == [0, 140, 280]
    assert {layout.places[name].y for name in "abc"} == {0}


def test_a_fork_is_drawn_around_its_middle():
    layout = arrange([Box(name, 100, 40) for name in "abc"], [("a", "b"), ("a", "c")])
    a, b, c = (layout.places[name].y for name in "abc")
    assert a == pytest.approx((b + c) / 2)


def test_a_source_stands_right_before_its_first_use():
    boxes = [Box(name, 100, 40) for name in "abcs"]
    layout = arrange(boxes, [("a", "b"), ("b", "c"), ("s", "c")])
    assert layout.places["s"].x == layout.places["b"].x


def test_a_long_edge_passes_beside_what_is_between():
    boxes = [Box(name, 100, 40) for name in "abc"]
    layout = arrange(boxes, [("a", "b"), ("b", "c"), ("a", "c")])
    (route,) = [route for route in layout.routes if (route.source, route.target) == ("a", "c")]
    b = layout.places["b"]
    assert not b.y <= route.points[2][1] <= b.y + b.height


def test_an_edge_into_a_group_ends_at_the_group_and_carries_the_real_one():
    boxes = [Box("a", 100, 40), Box("g", 50, 30), Box("g/b", 100, 40, "g"), Box("g/c", 100, 40, "g")]
    layout = arrange(boxes, [("a", "g/b"), ("a", "g/c"), ("g", "g/b")])
    (route,) = layout.routes
    assert (route.source, route.target) == ("a", "g")
    assert route.carries == (("a", "g/b"), ("a", "g/c"))


@pytest.mark.parametrize(
    "edges", [[("a", "b"), ("b", "c"), ("c", "a")], [("a", "a")], [("a", "nowhere"), ("x", "y")]]
)
def test_edges_that_make_no_sense_are_left_out(edges):
    layout = arrange([Box(name, 100, 40) for name in "abc"], edges)
    assert len(layout.places) == 3
    assert len(layout.routes) <= 2


def test_nothing_takes_no_room():
    assert (arrange([], []).width, arrange([], []).height) == (0, 0)


def test_wanted_places_are_kept_where_there_is_room():
    assert spread([0, 100, 110], [20, 20]) == [0, 95, 115]


def test_groups_may_be_as_deep_as_they_like():
    boxes = [Box(str(depth), 10, 10, str(depth - 1) if depth else "") for depth in range(1500)]
    assert len(arrange(boxes, []).places) == 1500


def test_a_graph_of_long_edges_is_laid_out_with_a_bounded_number_of_stops():
    count = 2000
    boxes = [Box(str(number), 100, 40) for number in range(count)]
    edges = [(str(number // 2), str(number)) for number in range(3, count)]
    edges += [(str(number - 3), str(number)) for number in range(3, count)]
    layout = arrange(boxes, edges)
    stops = sum(len(route.points) - 3 for route in layout.routes) / 2
    assert stops <= MOST_STOPS * (len(boxes) + len(edges))
    assert len(layout.routes) == len(set(edges))
