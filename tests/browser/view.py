"""The page of `trainer view`, used as a person uses it: look, drag, poke, move the sliders, look again."""

import math
import time

from webdriver import wait

UPRIGHT = 0.1  # rad


class Page:
    """What the page says of its machine; the numbers come from the server."""

    def __init__(self, browser):
        self.browser = browser

    def read(self):
        data = self.browser.run("return {...document.body.dataset}")
        number = lambda name: float(data.get(name) or "nan")
        return {name: number(name) for name in ("tilt", "upright", "time", "episode", "fallen")} | {"held": data.get("held")}

    def tilt(self):
        return abs(self.read()["tilt"])

    def wait_upright(self, why, seconds, within=30):
        """Until it has been upright for so long, in simulated s."""
        return wait(f"upright for {seconds} s {why}", lambda: self.read()["upright"] >= seconds, within)

    def slider(self, name):
        """What the server has, as the page shows it."""
        return float(self.browser.run(
            "return document.querySelector(`#slider-${arguments[0]}`).parentNode.querySelector('output').dataset.value", name))

    def wobble(self, seconds):
        """Root of the mean square of the tilt, in rad, for so long."""
        tilts, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            tilts.append(self.tilt())
            time.sleep(0.04)
        return math.sqrt(sum(tilt * tilt for tilt in tilts) / len(tilts))


def rod(browser, angle):
    """Where the rod is at an angle, from the middle of the picture: as machines.js lays it out."""
    width, height = browser.run("const m = document.querySelector('#machine'); return [m.clientWidth, m.clientHeight]")
    reach = (0.5 * min(width, height) - 26) / 1.12
    return (0.8 * reach * math.sin(angle), 4 - 0.8 * reach * math.cos(angle))


def pendulum(browser, address, pictures):
    """The swing-up, with all that can be done to it."""
    browser.look(1280, 860)
    browser.open(address)
    page = Page(browser)
    wait("a first frame", lambda: page.read()["time"] > 0, 20)
    page.wait_upright("after the start", 1)
    yield "the policy swings the rod up and holds it"

    steps = [math.pi * step / 12 for step in range(13)]
    browser.drag("#machine", [rod(browser, angle) for angle in steps], 1.2)
    lowest = 0
    end = time.monotonic() + 1
    while time.monotonic() < end:
        lowest = max(lowest, page.tilt())
    assert lowest > 2, f"dragged down, it is only {lowest} rad from upright"
    assert page.read()["held"] == "", "let go, it is still held"
    page.wait_upright("after it was dragged down", 1)
    yield f"dragged down to {lowest:.2f} rad, it comes back"

    browser.click("#strike-right")
    moved = wait("the poke", lambda: max(page.tilt(), 0.0) > 0.05 and page.tilt(), 2)
    browser.type("#machine", "left")
    page.wait_upright("after it was poked", 1)
    yield f"poked to {moved:.2f} rad, it comes back"
    browser.screenshot(pictures / "light.png")

    for name, keys, low, high in [
        ("mass", ["right"] * 10, 1.05, 1.6),
        ("length", ["left"] * 10, 0.5, 0.95),
        ("latency", ["right"] * 8, 8, 80),
        ("sensor-noise", ["right"] * 6, 0.5, 6),
    ]:
        before = page.slider(name)
        browser.type(f"#slider-{name}", *keys)
        wait(f"{name} changed at the server", lambda: low <= page.slider(name) <= high, 5)
        yield f"{name}: {before:g}, then {page.slider(name):g}"
    browser.look(1280, 860, dark=True)
    time.sleep(3)
    browser.screenshot(pictures / "dark.png")

    browser.click("#defaults")
    wait("the sliders went back", lambda: page.slider("mass") == 1 and page.slider("latency") == 0, 5)
    page.wait_upright("as it was trained", 1)
    calm = page.wobble(2)
    browser.type("#slider-latency", "end")
    wait("the longest latency", lambda: page.slider("latency") == 200, 5)
    time.sleep(1)
    late = page.wobble(4)
    assert late > 2 * calm + 0.02, f"with 200 ms of latency it wobbles by {late} rad, without by {calm}"
    browser.type("#slider-latency", "home")
    page.wait_upright("without latency", 1)
    browser.type("#slider-sensor-noise", "end")
    time.sleep(1)
    noisy = page.wobble(4)
    assert noisy > 2 * calm, f"with the most noise it wobbles by {noisy} rad, without by {calm}"
    browser.type("#slider-sensor-noise", "home")
    yield f"it wobbles by {calm:.3f} rad, with 200 ms of latency by {late:.3f}, with the most noise by {noisy:.3f}"

    browser.click("#run")
    wait("the pause", lambda: browser.run("return document.querySelector('#run').textContent") == "Run", 5)
    stood = page.read()["time"]
    browser.click("#step")
    wait("one step", lambda: abs(page.read()["time"] - stood - 0.05) < 1e-6, 5)
    browser.click("#run")
    episode = page.read()["episode"]
    browser.click("#rest")
    wait("hanging", lambda: page.read()["episode"] == episode + 1, 5)
    page.wait_upright("from hanging", 1)
    yield "it pauses, goes step by step, and begins anew"

    browser.look(390, 844)
    time.sleep(1)
    wide = browser.run("return document.documentElement.scrollWidth")
    assert wide <= 390, f"on a phone the page is {wide} pixels wide"
    browser.screenshot(pictures / "phone.png", whole=True)
    yield "it fits a phone"


def cart(browser, address, pictures):
    """The inverted pendulum under whatever policy: it moves, is held, falls and begins anew."""
    browser.look(1280, 860)
    browser.open(address)
    page = Page(browser)
    wait("a first frame", lambda: page.read()["time"] > 0.5, 20)
    browser.screenshot(pictures / "cart.png")
    episode = page.read()["episode"]
    browser.click("#rest")
    wait("it lies", lambda: page.read()["fallen"] > 0, 5)
    browser.screenshot(pictures / "cart-fallen.png")
    wait("it begins anew", lambda: page.read()["episode"] >= episode + 2, 10)
    yield "the cart's pole falls, lies, and begins anew"
