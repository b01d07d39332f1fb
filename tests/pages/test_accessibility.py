"""axe-core's rules of WCAG 2.1 A and AA on the text of a page and its labs, in both themes, at rest and alive."""

import pytest

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
# What the theme itself puts inside the article and gets wrong, by selector, each with the reason.
THEIRS: tuple[str, ...] = ()


@pytest.fixture(scope="session")
def axe(root):
    """axe-core's script, as set-up fetched it."""
    return (root / "book/_web/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def violations(page):
    """What axe finds in the article, the labs among it: rule, reason and place."""
    found = page.evaluate(
        """async ([rules, theirs]) => {
            const where = { include: [["article.bd-article"]], exclude: theirs.map((selector) => [selector]) };
            const options = { runOnly: { type: "tag", values: rules }, resultTypes: ["violations"] };
            const { violations, passes } = await axe.run(where, options);
            const say = (id, { target, failureSummary }) => `${id}: ${target} ${failureSummary}`;
            const broken = violations.flatMap(({ id, nodes }) => nodes.map((node) => say(id, node)));
            return { checked: passes.length, broken };
        }""",
        [RULES, THEIRS],
    )
    assert found["checked"] > 5, "axe must have had something to check"
    return found["broken"]


def test_a_page_breaks_no_rule_of_wcag(labs_on, page_path, scheme, axe):
    labs = labs_on(page_path, theme=scheme, reduced_motion="reduce")
    page = labs[0].page
    assert page.locator("article.bd-article lewm-lab").count() == len(labs)
    page.add_script_tag(content=axe)
    assert violations(page) == []
    for lab in labs:
        lab.restart()
    assert violations(page) == []


def test_axe_would_tell(labs_on, page_path, axe):
    """The check itself: a control that loses its label is found."""
    page = labs_on(page_path, reduced_motion="reduce")[0].page
    page.add_script_tag(content=axe)
    page.evaluate("document.querySelector('lewm-lab .lewm-row label').remove()")
    assert any(said.startswith("label: ") for said in violations(page))
