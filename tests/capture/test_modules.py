"""Modules that lie beside the notebook, and imports in general."""

from __future__ import annotations

from kfnb.capture.modules import collect, imported
from kfnb.capture.tracer import dependencies_of
from kfnb.pipeline.step import make_step


def test_a_module_is_collected_with_what_it_needs(tmp_path) -> None:
    (tmp_path / "one.py").write_text("import two\nfrom pack.deep import x\nimport json")
    (tmp_path / "two.py").write_text("import one")
    (tmp_path / "pack" / "deep").mkdir(parents=True)
    (tmp_path / "pack" / "__init__.py").write_text("")
    (tmp_path / "pack" / "deep" / "__init__.py").write_text("from . import part\nx = 1")
    (tmp_path / "pack" / "deep" / "part.py").write_text("")
    assert sorted(collect("one", tmp_path)) == [
        "one.py", "pack/__init__.py", "pack/deep/__init__.py", "pack/deep/part.py", "two.py",
    ]  # fmt: skip


def test_imports_are_found_anywhere_in_a_source() -> None:
    assert imported("import a.b\ndef f():\n    from c import d\nfrom . import e") == ["a.b", "c"]


def test_a_module_beside_the_notebook_travels(agree, shell, tmp_path) -> None:
    (tmp_path / "helpers_kfnb.py").write_text(
        "import inner_kfnb\nimport yaml\n\ndef twice(x):\n    return inner_kfnb.K * x\n"
    )
    (tmp_path / "inner_kfnb.py").write_text("K = 2\nTEXT = 'ü'\n")
    agree(
        "import helpers_kfnb\nfrom inner_kfnb import *",
        "%%kf_component makes --output x\nx = helpers_kfnb.twice(4)\n",
        (
            "%%kf_component inside --output y\ndef f():\n"
            "    from helpers_kfnb import twice\n    return twice(K), TEXT\ny = list(f())\n"
        ),
    )
    notebook, component = shell.kernel.notebook, shell.component("makes")
    step = make_step(notebook, component, dependencies_of(notebook, component), ())
    assert sorted(step.dependencies.files) == ["helpers_kfnb.py", "inner_kfnb.py"]
    assert [one.partition("==")[0] for one in step.requirements] == ["PyYAML"]


def test_each_import_travels_as_one_statement(agree, shell) -> None:
    agree(
        "import os.path, json as j, xml\nimport xml.etree.ElementTree\nimport xml.dom.minidom\n"
        "from math import *\nfrom collections import OrderedDict as OD, deque\nsqrt2 = sqrt",
        "%%kf_component c --output out\n"
        "out = [os.path.basename('a/b'), j.dumps(1), xml.etree.ElementTree.fromstring('<a/>').tag,"
        " xml.dom.minidom.parseString('<b/>').documentElement.tagName,"
        " floor(pi), list(OD(a=1)), list(deque([sqrt2(4)]))]\n",
    )


def test_what_is_set_in_a_module_stays_in_the_step_and_is_noted(agree, shell) -> None:
    agree(
        "import os\nimport random\nos.environ['KFNB_A'] = '1'",
        "%%kf_component sets --output x\nos.environ['KFNB_B'] = '1'\nrandom.seed(1)\nx = 1\n",
        "%%kf_component reads --output y\ny = [os.sep, x]\n",
    )
    notes = "\n".join(shell.component("sets").notes)
    assert "cell sets [2], line 2: os is changed in this step only" in notes
    assert "cell sets [2], line 3: random.seed() seeds this step only" in notes
