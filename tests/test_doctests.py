"""Every example in a docstring of the library holds."""

import doctest
import importlib
import pkgutil

import lewm_lite


def every_module():
    yield lewm_lite
    for found in pkgutil.walk_packages(lewm_lite.__path__, "lewm_lite."):
        yield importlib.import_module(found.name)


def test_every_example_in_the_library_holds():
    results = {module.__name__: doctest.testmod(module) for module in every_module()}
    assert {name: result.failed for name, result in results.items() if result.failed} == {}
    assert sum(result.attempted for result in results.values()) > 5
    assert {"lewm_lite.seeding", "lewm_lite.objectives.sigreg", "lewm_lite.embeddings.diagnostics"} <= {
        name for name, result in results.items() if result.attempted
    }


def test_an_example_that_is_wrong_would_be_met():
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, None)
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(wrong, out=lambda _: None)
    assert runner.summarize(verbose=False).failed == 1
