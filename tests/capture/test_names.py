"""Which names a cell reads, writes and changes."""

from __future__ import annotations

import ast
import sys

import pytest

from kfnb.capture.name_usage import Names
from kfnb.capture.names import read_names


def names(text: str) -> Names:
    return read_names(ast.parse(text))


@pytest.mark.parametrize(
    ("cell", "reads", "writes"),
    [
        # plain statements
        ("y = x", "x", "y"),
        ("x = 1\ny = x", "", "x y"),
        ("a, (b, *c), d[i] = v", "d i v", "a b c"),
        ("x += y", "x y", "x"),
        ("x: T = 1", "T", "x"),
        ("x: T", "T", ""),
        ("(y := x) + y", "x", "y"),
        ("import a.b, c as d", "", "a d"),
        ("from m import a, b as c", "", "a c"),
        ("assert x, y", "x y", ""),
        # strings
        ("y = f'{x!r:>{w}} {z=}'", "w x z", "y"),
        ("df.query('a > @limit')", "df limit", ""),
        ("df.eval('b = a + @shift')", "df shift", ""),
        # comprehensions and lambdas have their own names
        ("y = [v * k for v in xs if v]", "k xs", "y"),
        ("y = {a: b for a in xs for b in a}", "xs", "y"),
        ("y = sum(v for v in v)", "sum v", "y"),
        ("any((hit := v) for v in xs)", "any xs", "hit"),
        ("y = sorted(xs, key=lambda v, w=d: v + k)", "d k sorted xs", "y"),
        ("f = lambda v: v + k", "", "f"),
        ("f = lambda v: v + k\nf(1)", "k", "f"),
        # functions run when they are called
        ("def f(): return x", "", "f"),
        ("def f(): return x\nf()", "x", "f"),
        ("def f(): return x\nx = 1\nf()", "", "f x"),
        ("def f():\n    def g():\n        return x\n    return g\nf()", "x", "f"),
        ("def f(a, *b, c=1, **d):\n    e = 1\n    return a, b, c, d, e, x\nf(1)", "x", "f"),
        ("def f(a=x): pass", "x", "f"),
        ("def f(a: T) -> R: pass", "R T", "f"),
        ("def f(a: 'T'): pass", "", "f"),
        ("def f():\n    a: T = 1\n    return a\nf()", "", "f"),
        ("def f(n): return n and f(n - 1)\nf(3)", "", "f"),
        ("@deco(x)\ndef f(): return y", "deco x y", "f"),
        ("async def f(): return await x\nawait f()", "x", "f"),
        ("def f():\n    x = 1\n    return [x for _ in y]\nf()", "y", "f"),
        ("def f():\n    class A:\n        x = 1\n        def m(self): return x\n    return A\nf()", "x", "f"),
        # global
        ("def f():\n    global x\n    x = 1\nf()", "", "f x"),
        ("def f():\n    global x\n    x += 1\nf()", "x", "f x"),
        ("global x\nx = 1", "", "x"),
        ("class A:\n    global x\n    x = 1", "", "A x"),
        ("def f():\n    x = 0\n    def g():\n        global x\n        x = 1\n    g()\nf()", "", "f x"),
        # classes
        ("class A(B, metaclass=M): pass", "B M", "A"),
        ("class A:\n    x = y\n    z = x", "y", "A"),
        ("class A:\n    x = x", "x", "A"),
        ("class A:\n    x = 1\n    def m(self): return x", "", "A"),
        ("class A:\n    x = 1\n    def m(self): return x\nA().m()", "x", "A"),
        ("class A:\n    if c:\n        def m(self): return x\nA()", "c x", "A"),
        ("class A:\n    def m(self): return __class__, A\nA()", "", "A"),
        ("class A:\n    v = [k for k in xs]", "xs", "A"),
        # control flow
        ("if c:\n    x = 1\nprint(x)", "c print x", "x"),
        ("if c:\n    x = 1\nelse:\n    x = 2\ny = x", "c", "x y"),
        ("if c:\n    raise E\nelse:\n    x = 2\ny = x", "E c", "x y"),
        ("for i in xs:\n    y = i\nz = i", "i xs", "i y z"),
        ("while c:\n    x = 1\ny = x", "c x", "x y"),
        ("for i in range(3):\n    y = i\nz = i, y", "range", "i y z"),
        ("for i, v in enumerate(['a']):\n    if v: break\n    y = i\nz = i, y", "enumerate y", "i v y z"),
        ("for i in range(n):\n    y = i\nz = y", "n range y", "i y z"),
        ("while True:\n    x = f()\n    if x: break\ny = x", "f", "x y"),
        ("if c:\n    for i in xs: print(i)\n    with f() as g: g.h()", "c f print xs", "g i"),
        ("for i in xs:\n    if i:\n        break\nelse:\n    y = 1", "xs", "i y"),
        ("try:\n    x = f()\nexcept E as e:\n    x = e", "E f", "e x"),
        ("try:\n    x = f()\nexcept E:\n    pass\ny = x", "E f x", "x y"),
        ("with a as b, c(b) as d:\n    e = d", "a c", "b d e"),
        (
            "match v:\n    case [x, *y]: pass\n    case {'k': z, **r}: pass\n    case P(q=1) as w: pass",
            "P v",
            "r w x y z",
        ),
        ("match v:\n    case 1: x = 1\n    case _: x = 2\ny = x", "v", "x y"),
        ("match v:\n    case 1: x = 1\ny = x", "v x", "x y"),
        # del
        ("del x", "x", ""),
        ("x = 1\ndel x\ny = x", "x", "y"),
        ("del x[0], y.a", "x y", ""),
        ("größe = π * 2", "π", "größe"),
    ],
)
def test_reads_and_writes(cell: str, reads: str, writes: str) -> None:
    found = names(cell)
    assert " ".join(sorted(found.reads)) == reads
    assert " ".join(sorted(found.writes)) == writes


@pytest.mark.parametrize(
    ("cell", "changes"),
    [
        ("x[0] = 1", "x"),
        ("x.a.b[0] = 1", "x"),
        ("x += y", "x"),
        ("x[0] += y", "x"),
        ("del x[0]", "x"),
        ("for x[0] in y: pass", "x"),
        ("with f() as x.a: pass", "x"),
        ("def f(): x[0] = 1", ""),
        ("def f(): x[0] = 1\nf()", "x"),
        ("def f(x): x[0] = 1\nf(y)", ""),
        ("class A:\n    d = {}\n    d[0] = 1\n    x[0] = 1", "x"),
        ("f().a = 1", ""),
    ],
)
def test_changes_in_place(cell: str, changes: str) -> None:
    assert " ".join(sorted(names(cell).changes)) == changes


@pytest.mark.parametrize(
    ("cell", "maybe"),
    [
        ("try:\n    x\nexcept NameError:\n    x = 1", "x"),
        ("try:\n    y = x\nexcept ValueError:\n    pass", ""),
        ("if c:\n    x = 1\nprint(x)", "x"),
        ("x = x + 1", ""),
        ("for v in vs:\n    if v:\n        print(last)\n    last = v", "last"),
        ("f = g(lambda: later)\nlater = 1", "later"),
    ],
)
def test_a_read_may_be_of_what_the_cell_itself_makes(cell: str, maybe: str) -> None:
    assert " ".join(sorted(names(cell).maybe)) == maybe


@pytest.mark.parametrize(
    ("cell", "conditional"),
    [
        ("if c:\n    x = 1", "x"),
        ("if c:\n    x = 1\nelse:\n    x = 2", ""),
        ("try:\n    x = f()\nexcept E:\n    pass", "x"),
        ("for i in xs:\n    y = i", ""),
        ("for i in xs:\n    if i:\n        y = i", "y"),
        ("x = 0\nif c:\n    x = 1", ""),
    ],
)
def test_a_name_written_under_a_condition_may_stay_as_it_was(cell: str, conditional: str) -> None:
    assert " ".join(sorted(names(cell).conditional)) == conditional


def test_star_imports_bind_what_the_module_has() -> None:
    found = read_names(ast.parse("from m import *\nz = x + y"), lambda _: ["x"])
    assert (sorted(found.reads), sorted(found.writes)) == (["y"], ["x", "z"])


def test_what_cannot_be_seen_is_told() -> None:
    found = names("exec('x = 1')\neval('x')\nglobals()['x']\nvars(x)\nlocals()")
    assert list(found.unseen) == [1, 2, 3, 5]


def test_lines_are_of_the_first_use() -> None:
    found = names("\ny = 1\nprint(x)\nx\n")
    assert (found.reads["x"], found.writes["y"]) == (3, 2)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.12's syntax")
def test_type_parameters_are_no_names_of_the_cell() -> None:
    found = names(
        "def f[T](x: T) -> T: return x\nclass A[K](dict[K, int]):\n    def m(self): return K\ntype X = list[A]\nf, A"
    )
    assert (sorted(found.reads), sorted(found.writes)) == (["dict", "int", "list"], ["A", "X", "f"])
