"""What a function does to the names around it."""

from __future__ import annotations

import ast

import pytest

from kfnb.capture.scopes import function_effects, local_names


def effects(text: str) -> tuple[str, str, str]:
    node = ast.parse(text).body[0]
    found = function_effects(node)
    return " ".join(sorted(found.reads)), " ".join(sorted(found.writes)), " ".join(sorted(found.changes))


@pytest.mark.parametrize(
    ("function", "reads", "writes", "changes"),
    [
        ("def f(a, /, b, *c, d, **e): return a, b, c, d, e, x", "x", "", ""),
        ("def f():\n    global x\n    x = y", "y", "x", ""),
        ("def f():\n    x[0] = 1", "x", "", "x"),
        ("def f(x):\n    x[0] = 1", "", "", ""),
        ("def f():\n    print(x)\n    x = 1", "print", "", ""),
        ("def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = y\n    g()", "y", "", ""),
        ("def f():\n    x = 1\n    def g():\n        global x\n        x = y\n    g()", "y", "x", ""),
        (
            (
                "def f():\n    class A(B):\n        x = 1\n        y = x\n"
                "        def m(self): return x, self\n    return A"
            ),
            "B x",
            "",
            "",
        ),
        ("def f():\n    class A:\n        x = 1\n        y = [x for _ in z]", "x z", "", ""),
        ("def f(): return [v := w for w in ws], v", "ws", "", ""),
        ("def f():\n    try: pass\n    except E as e: return e", "E", "", ""),
        (
            "def f():\n    match v:\n        case [a, *b]: return a, b\n        case {**c}: return c",
            "v",
            "",
            "",
        ),
        ("def f():\n    import a.b\n    from c import d as e\n    return a, e", "", "", ""),
        ("def f():\n    def g(v: T = D) -> R: pass\n    return lambda w=K: w", "D K R T", "", ""),
        ("def f(): return df.query('a > @limit')", "df limit", "", ""),
        ("def f():\n    del x[0]", "x", "", "x"),
    ],
)
def test_a_function_reads_writes_and_changes(function: str, reads: str, writes: str, changes: str) -> None:
    assert effects(function) == (reads, writes, changes)


def test_a_functions_own_names() -> None:
    node = ast.parse("def f(a):\n    global b\n    b = c = 1\n    for d in e: pass").body[0]
    assert local_names(node) == {"a", "c", "d"}
