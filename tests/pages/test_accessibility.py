"""axe-core's rules of WCAG 2.1 A and AA on the text of a page and its labs, in both themes, at rest and alive."""

import pytest

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
# What others put inside the article and get wrong: the rule, and what it may be broken by.
THEIRS = {
    "label-content-name-mismatch": "summary[aria-label='Toggle hidden content']",  # myst-nb: folded cells
    "aria-deprecated-role": ".citation-list > .citation",  # docutils: the list of references
    "aria-required-children": ".citation-list",  # docutils: the list of references
}


@pytest.fixture(scope="session")
def axe(root):
    """axe-core's script, as set-up fetched it."""
    return (root / "book/_web/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def violations(page):
    """What axe finds in the article, the labs among it: rule, reason and place."""
    found = page.evaluate(
        """async ([rules, theirs]) => {
            const runOnly = { type: "tag", values: rules };
            const options = { runOnly, elementRef: true, resultTypes: ["violations"] };  // of the rest only a count
            const { violations, passes } = await axe.run("article.bd-article", options);
            const ours = (id) => ({ element }) => !(id in theirs && element.matches(theirs[id]));
            const say = (id) => ({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`;
            const broken = violations.flatMap(({ id, nodes }) => nodes.filter(ours(id)).map(say(id)));
            return { checked: passes.length, broken };
        }""",
        [RULES, THEIRS],
    )
    assert found["checked"] > 5, "axe must have had something to check"
    return found["broken"]


def test_a_page_breaks_no_rule_of_wcag(labs_at_rest, scheme, axe):
    page = labs_at_rest[0].page
    assert page.locator("article.bd-article lewm-lab").count() == len(labs_at_rest)
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(content=axe)
    labs_at_rest[0].in_theme(scheme)
    assert violations(page) == []


def test_a_lab_that_came_to_life_breaks_no_rule_either(open_lab, lab_name, axe):
    lab = open_lab(lab_name, theme="light", reduced_motion="reduce").restart()
    lab.page.add_script_tag(content=axe)
    assert violations(lab.page) == []


def test_axe_would_tell(labs_on, axe):
    """The check itself: a control that loses its label is found."""
    page = labs_on("book/08_sigreg.html", reduced_motion="reduce")[0].page
    page.add_script_tag(content=axe)
    page.evaluate("document.querySelector('lewm-lab .lewm-row label').remove()")
    assert any(said.startswith(("label: ", "select-name: ")) for said in violations(page))  # of a slider, or of a menu
