"""The page of `trainer view`, used as a person uses it: look, drag, poke, move the sliders, look again."""

import math
import time

from webdriver import wait


class Page:
    """What the page says of its machine; the numbers come from the server."""

    def __init__(self, browser, upright):
        """Upright is within so many rad."""
        self.browser, self.upright = browser, upright

    def read(self):
        data = self.browser.run("return {...document.body.dataset}")
        number = lambda name: float(data.get(name) or "nan")
        numbers = {name: number(name) for name in ("error", "atGoal", "restError", "chatter", "time", "episode", "fallen")}
        return numbers | {"held": data.get("held"), "state": [float(part) for part in data.get("state", "").split()]}

    def tilt(self):
        return abs(self.read()["error"])

    def wait_upright(self, why, seconds, within=30):
        """Until it has been upright for so long, in simulated s, at each of many looks."""
        since = None

        def stays():
            nonlocal since
            now = self.read()
            if abs(now["error"]) >= self.upright:
                since = None
            elif since is None:
                since = now["time"]
            return since is not None and now["time"] - since >= seconds

        return wait(f"upright for {seconds} s {why}", stays, within)

    def slider(self, name):
        """What the server has, as the page shows it."""
        return float(self.browser.run(
            "return document.querySelector(`#slider-${arguments[0]}`).parentNode.querySelector('output').dataset.value", name))

    def value(self):
        """What the critics expect."""
        return float(self.browser.run("return document.querySelector('[data-chart=value] output').value").replace("−", "-"))

    def wobble(self, seconds):
        """Root of the mean square of the tilt, in rad, for so long."""
        tilts, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            tilts.append(self.tilt())
            time.sleep(0.04)
        return math.sqrt(sum(tilt * tilt for tilt in tilts) / len(tilts))


def size(browser):
    return browser.run("const m = document.querySelector('#machine'); return [m.clientWidth, m.clientHeight]")


def rod(browser, angle):
    """Where the rod is at an angle, from the middle of the picture: as machines.js lays it out."""
    reach = (0.5 * min(size(browser)) - 26) / 1.12
    return (-0.8 * reach * math.sin(angle), 4 - 0.8 * reach * math.cos(angle))


def pole(browser, position, angle, along):
    """Where a point of the pole is, so far from the hinge in m, with the cart at a position."""
    width, height = size(browser)
    scale = min((width - 30) / 2.9, (height - 130) / 1.32)
    hinge = min(height - 92, height / 2 + 0.35 * scale) - height / 2
    return (scale * (position + along * math.sin(angle)), hinge - scale * along * math.cos(angle))


def pendulum(browser, address, pictures):
    """The swing-up, with all that can be done to it."""
    browser.look(1280, 860)
    browser.open(address)
    page = Page(browser, upright=0.1)
    wait("a first frame", lambda: page.read()["time"] > 0, 20)
    page.wait_upright("after the start", 1)
    upright = page.value()
    yield "the policy swings the rod up and holds it"

    steps = [math.pi * step / 30 for step in range(31)]
    browser.drag("#machine", [rod(browser, angle) for angle in steps], 1.2)
    lowest, hanging = 0, upright
    end = time.monotonic() + 1
    while time.monotonic() < end:
        lowest, hanging = max(lowest, page.tilt()), min(hanging, page.value())
    assert lowest > 2, f"dragged down, it is only {lowest} rad from upright"
    assert page.read()["held"] == "", "let go, it is still held"
    page.wait_upright("after it was dragged down", 1)
    yield f"dragged down to {lowest:.2f} rad, it comes back"
    assert upright > hanging + 20, f"the critics value upright as {upright}, hanging as {hanging}"
    yield f"its critics value upright as {upright:g}, hanging as {hanging:g}"

    browser.click("#strike-right")
    # To the right is clockwise, where θ is positive counter-clockwise.
    moved = wait("the poke", lambda: math.sin(page.read()["state"][0]) < -0.05 and page.tilt(), 2)
    browser.type("#machine", "left")
    page.wait_upright("after it was poked", 1)
    yield f"poked to {moved:.2f} rad, it comes back"
    browser.run("document.activeElement.blur()")
    browser.screenshot(pictures / "light.png")

    for name, keys, low, high in [
        ("mass", ["right"] * 3, 1.1, 1.3),
        ("length", ["left"] * 3, 0.8, 0.95),
        ("latency", ["right"] * 4, 10, 40),
        ("sensor-noise", ["right"] * 2, 0.5, 2),
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
    browser.run("scrollTo(0, 0)")
    wide = browser.run("return document.documentElement.scrollWidth")
    assert wide <= 390, f"on a phone the page is {wide} pixels wide"
    browser.screenshot(pictures / "phone.png", whole=True)
    browser.drag("#machine", [rod(browser, angle) for angle in steps], 1, finger=True)
    wait("a finger drags it down", lambda: page.tilt() > 2, 2)
    page.wait_upright("after a finger has dragged it down", 1)
    yield "it fits a phone, and obeys a finger"


def cart(browser, address, pictures):
    """The inverted pendulum: it balances, falls, is raised by hand."""
    browser.look(1280, 860)
    browser.open(address)
    page = Page(browser, upright=0.2)
    wait("a first frame", lambda: page.read()["time"] > 0.5, 20)
    page.wait_upright("after the start", 2)
    browser.screenshot(pictures / "cart.png")
    yield "the policy balances the pole"

    browser.click("#rest")
    wait("it lies", lambda: page.read()["fallen"] > 0, 5)
    episode = page.read()["episode"]
    browser.screenshot(pictures / "cart-fallen.png")
    wait("it begins anew", lambda: page.read()["episode"] == episode + 1, 10)
    yield "a pole that fell lies, and begins anew"

    browser.click("#rest")
    wait("it lies again", lambda: page.read()["fallen"] > 0, 5)
    now = page.read()
    x = lambda: page.read()["state"][0]
    browser.press("#machine", pole(browser, x(), math.pi / 2, 0.4))
    browser.move([pole(browser, x(), math.pi / 2 * (1 - step / 20), 0.4) for step in range(1, 21)], 0.8)
    for _ in range(10):  # above the cart, which has rolled meanwhile
        browser.move([pole(browser, x(), 0, 0.8)], 0.02)
    assert page.read()["held"] == "1", "no hand holds the pole"
    browser.let_go()
    page.wait_upright("after a hand has raised the pole", 1)
    assert page.read()["episode"] == now["episode"], "it fell, and began anew"
    yield "raised by hand, the pole stays up"

    at = page.read()["state"][0]
    side = -0.3 if at > 0 else 0.3
    carried = [pole(browser, at + side * step / 10, 0, 0) for step in range(11)]
    browser.drag("#machine", carried, 0.3)
    wait("the cart was carried", lambda: page.read()["fallen"] > 0 or abs(page.read()["state"][0] - at) > 0.1, 2)
    page.wait_upright("after the cart was carried", 1)
    yield "the cart can be carried"
