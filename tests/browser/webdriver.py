"""A headless Chromium, steered by chromedriver over the W3C's WebDriver protocol, with nothing but Python's own library.

https://www.w3.org/TR/webdriver2/ has the requests. Everything waits for a limited time, and only processes that were
started here are ended.
"""

import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the protocol's name for a reference to an element
PATIENCE = 60  # s, for any request

KEYS = {"left": "\ue012", "right": "\ue014", "home": "\ue011", "end": "\ue010", "page up": "\ue00e", "page down": "\ue00f"}


class Browser:
    """`with Browser() as browser:` starts one and ends it."""

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="browser-")
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        self.session = None
        try:
            self.root = f"http://127.0.0.1:{self._port()}"
            arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
                         f"--user-data-dir={self.profile}",
                         # The pages of this project need no other machine; nothing else of the browser gets one either.
                         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
            if os.name == "posix" and os.geteuid() == 0:
                arguments.append("--no-sandbox")  # which Chromium demands of root
            options = {"args": arguments, "binary": shutil.which("chromium")}
            wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self.session = f"/session/{answer['sessionId']}"
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            if self.session:
                self._ask("DELETE", self.session)
        finally:
            self.driver.terminate()
            try:
                self.driver.wait(10)
            except subprocess.TimeoutExpired:
                self.driver.kill()
                self.driver.wait()
            shutil.rmtree(self.profile, ignore_errors=True)

    def _port(self):
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return int(found[1])
        raise RuntimeError("chromedriver ended before it listened")

    def _ask(self, method, path, body=None):
        data = None if method != "POST" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.root + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {json.load(error)['value']['message']}") from error

    def post(self, path, **body):
        return self._ask("POST", self.session + path, body)

    def open(self, address):
        self.post("/url", url=address)

    def run(self, script, *arguments):
        """What a script of the page returns."""
        return self.post("/execute/sync", script=script, args=list(arguments))

    def find(self, selector):
        return self.post("/element", using="css selector", value=selector)[ELEMENT]

    def click(self, selector):
        self.post(f"/element/{self.find(selector)}/click")

    def type(self, selector, *keys):
        """Keys to an element, by name or as they are."""
        text = "".join(KEYS.get(key, key) for key in keys)
        self.post(f"/element/{self.find(selector)}/value", text=text)

    def drag(self, selector, points, seconds, finger=False):
        """A mouse's button or a finger goes down at the first point, through the others, rests a moment and lets go. Points count
        from the element's middle, in CSS pixels."""
        self._take(selector, "touch" if finger else "mouse")
        self._point(self._down(points[0]) + self._through(points[1:], seconds) + self._UP)

    def press(self, selector, point):
        """A drag in parts: the mouse's button goes down,"""
        self._take(selector, "mouse")
        self._point(self._down(point))

    def move(self, points, seconds):
        """the mouse goes through points,"""
        self._point(self._through(points, seconds))

    def let_go(self):
        """rests a moment, and the button goes up."""
        self._point(self._UP)

    _UP = [{"type": "pause", "duration": 200}, {"type": "pointerUp", "button": 0}]

    def _take(self, selector, kind):
        self.held, self.kind = {ELEMENT: self.find(selector)}, kind

    def _down(self, point):
        return [*self._through([point], 0), {"type": "pointerDown", "button": 0}]

    def _through(self, points, seconds):
        each = round(1000 * seconds / len(points))
        return [{"type": "pointerMove", "origin": self.held, "x": round(x), "y": round(y), "duration": each} for x, y in points]

    def _point(self, actions):
        pointer = {"type": "pointer", "id": self.kind, "parameters": {"pointerType": self.kind}, "actions": actions}
        self.post("/actions", actions=[pointer])

    def look(self, width, height, dark=False):
        """The size of the window's inside, and light or dark."""
        self.chromium("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.chromium("Emulation.setEmulatedMedia", features=[scheme])

    def chromium(self, command, **parameters):
        """A command of Chromium's own protocol, for what WebDriver has none."""
        return self.post("/goog/cdp/execute", cmd=command, params=parameters)

    def screenshot(self, file, whole=False):
        """A picture of what is seen, or of the whole page."""
        answer = self.chromium("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        pathlib.Path(file).write_bytes(base64.b64decode(answer["data"]))

    def complaints(self):
        """Errors and warnings of the console since the last look."""
        return [entry["message"] for entry in self.post("/se/log", type="browser") if entry["level"] in ("SEVERE", "WARNING")]


def wait(what, condition, seconds):
    """The first true answer of `condition`, which is asked for so long; then it is a failure."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain: {what}")
