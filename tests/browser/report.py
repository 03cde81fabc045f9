"""The page that a run leaves, report.html: on a desk, on a phone, in the dark and on paper."""

import base64
import re

SECTIONS = ("learning_curves", "phase_portrait", "policy_map", "value_map", "returns")
# What asks for anything but the page itself.
REQUESTS = "return performance.getEntriesByType('resource').map(entry => entry.name).filter(name => !name.startsWith('data:'))"
# Letters of pictures that would be smaller than 8 px.
SMALL = """return [...document.querySelectorAll('figure svg')].filter(svg => {
  const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  return [...svg.querySelectorAll('text')].some(text => parseFloat(text.getAttribute('font-size')) * scale < 8);
}).map(svg => svg.getAttribute('aria-label'))"""


def report(browser, address, pictures):
    browser.look(1200, 900)
    browser.open(address)
    for section in SECTIONS:
        width = browser.run("return document.getElementById(arguments[0]).querySelector('svg').getBoundingClientRect().width", section)
        assert width > 300, f"{section} is {width} px wide"
    film = browser.run("const i = document.querySelector('img'); return [i.complete, i.naturalWidth]")
    assert film == [True, 320], f"the film is {film}"
    assert browser.run(REQUESTS) == [], "the page asks for something"
    yield "every picture is there, and nothing else is asked for"
    browser.screenshot(pictures / "report.png", whole=True)

    for dark in (False, True):
        browser.look(360, 740, dark)
        wide = browser.run("return document.documentElement.scrollWidth")
        assert wide <= 360, f"on a phone it is {wide} px wide"
        small = browser.run(SMALL)
        assert not small, f"letters are too small to read on a phone in {small}"
    paper = browser.run("return getComputedStyle(document.documentElement).backgroundColor")
    shade = [int(part) for part in re.findall(r"\d+", paper)]
    assert len(shade) == 3 and sum(shade) < 200, f"in the dark its paper is {paper}"
    browser.screenshot(pictures / "report-phone-dark.png", whole=True)
    yield "it fits a phone, its letters can be read, and it goes dark with the reader"

    document = base64.b64decode(browser.chromium("Page.printToPDF", printBackground=True)["data"])
    sheets = len(re.findall(rb"/Type\s*/Page\b(?!s)", document))
    assert document.startswith(b"%PDF") and 3 <= sheets <= 10, f"it prints on {sheets} sheets"
    # An empty page has a few thousand bytes.
    assert len(document) > 200_000, f"what is printed has {len(document)} bytes"
    (pictures / "report.pdf").write_bytes(document)
    yield f"it prints, on {sheets} sheets"
