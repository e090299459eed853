"""Chromium without a screen, spoken with over the DevTools protocol: messages of JSON with a zero byte behind each, in two pipes.

What a page complains of is kept: exceptions, errors in its console, violations of its policy, dialogs that somebody opened.
"""
import base64
import contextlib
import fcntl
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading

from lab import TIME_SCALE, Failure, watch

KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Tab": 9, "Escape": 27, "Home": 36, "End": 35, " ": 32}
TEXT = {"Enter": "\r", " ": " "}
WATCHMAN = """
window.__violations = [];
document.addEventListener('securitypolicyviolation', (event) => window.__violations.push(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile));
"""


def pipe_above(least):
    """A pipe whose descriptors are not below that."""
    ends = os.pipe()
    above = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, least) for end in ends)
    for end in ends:
        os.close(end)
    return above


class Browser:
    def __init__(self, width=1280, height=800):
        if not shutil.which("chromium"):
            raise Failure("there is no chromium: apt-get install chromium")
        self.profile = tempfile.mkdtemp(prefix="viaduct-browser-")
        # The browser's ends become its descriptors 3 and 4, and are neither before.
        to_read, self.out = pipe_above(10)
        self.inward, to_write = pipe_above(10)
        # No sandbox, as tests run as root; nothing of the world outside.
        words = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
                 "--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-component-update", "--disable-sync",
                 "--disable-background-networking", "--hide-scrollbars", "--force-color-profile=srgb", "--lang=en-GB",
                 "--proxy-server=direct://", f"--user-data-dir={self.profile}", f"--window-size={width},{height}", "about:blank"]
        environment = {**os.environ, "HOME": self.profile}
        self.process = subprocess.Popen(["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write}', "bash", *words], env=environment,
                                        pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True)
        os.close(to_read)
        os.close(to_write)
        self.last, self.answers, self.complaints = 0, queue.Queue(), []
        self.requests = []  # (URL, headers) that the page asked for
        self.page = None
        threading.Thread(target=self.listen, daemon=True).start()
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.page = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.ask(f"{domain}.enable")
        self.ask("Page.addScriptToEvaluateOnNewDocument", source=WATCHMAN)
        self.resize(width, height)

    def listen(self):
        rest = b""
        with contextlib.suppress(OSError):
            while piece := os.read(self.inward, 1 << 20):
                *messages, rest = (rest + piece).split(b"\0")
                for message in messages:
                    self.take(json.loads(message))
        self.answers.put({"id": -1, "error": {"message": "the browser has ended"}})

    def take(self, message):
        if "id" in message:
            self.answers.put(message)
            return
        what, details = message.get("method"), message.get("params", {})
        if what == "Runtime.exceptionThrown":
            thrown = details["exceptionDetails"]
            self.complaints.append("exception: " + thrown.get("exception", {}).get("description", thrown["text"]))
        elif what == "Runtime.consoleAPICalled" and details["type"] in ("error", "warning", "assert"):
            self.complaints.append(f"console: {details['args']}")
        elif what == "Log.entryAdded" and details["entry"]["level"] == "error":
            self.complaints.append(f"{details['entry']['source']}: {details['entry']['text']} {details['entry'].get('url', '')}")
        elif what == "Page.javascriptDialogOpening":
            self.complaints.append(f"dialog: {details['message']}")
        elif what == "Network.requestWillBeSent":
            self.requests.append((details["request"]["url"], details["request"]["headers"]))

    def complained(self, but=()):
        """What there was since the last time, without what holds one of `but`."""
        seen, self.complaints = self.complaints, []
        violations = self.value("window.__violations?.splice(0) ?? []")
        return [each for each in [*seen, *violations] if not any(word in each for word in but)]

    def ask(self, method, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if self.page and not method.startswith("Target."):
            message["sessionId"] = self.page
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            try:
                answer = self.answers.get(timeout=30 * TIME_SCALE)
            except queue.Empty:
                raise Failure(f"the browser does not answer {method}") from None
            if answer["id"] not in (self.last, -1):
                continue
            if "error" in answer:
                raise Failure(f"{method}: {answer['error']['message']}")
            return answer["result"]

    # --- the page ---

    def open(self, url):
        answer = self.ask("Page.navigate", url=url)
        if "errorText" in answer:
            raise Failure(f"{url}: {answer['errorText']}")
        self.until("document.readyState === 'complete'", f"{url} is loaded")

    def value(self, expression):
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise Failure(f"{expression[:200]}: {result['exceptionDetails'].get('exception', {}).get('description')}")
        return result["result"].get("value")

    def until(self, expression, what, seconds=15.0):
        value = watch(lambda: self.value(expression), bool, seconds)
        if not value:
            raise Failure(f"{what}: not within {seconds * TIME_SCALE:.0f} s; the page says {self.value('document.body.innerText')[:600]!r}")
        return value

    def text(self, selector):
        return self.value(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def click(self, selector):
        """Where its middle is, by the mouse: what covers it gets it instead."""
        box = self.value(f"""(() => {{ const e = document.querySelector({json.dumps(selector)}); if (!e) return null;
            e.scrollIntoView({{block: 'nearest'}}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + Math.min(r.height, 40) / 2]; }})()""")
        if box is None:
            raise Failure(f"there is no {selector}")
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def type(self, selector, text):
        self.value(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.focus(); e.select?.(); }})()")
        self.ask("Input.insertText", text=text)

    def drag(self, start, end):
        """From one point of the page to another, by the mouse."""
        for kind, (x, y) in (("mouseMoved", start), ("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end)):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1 if kind != "mouseReleased" else 0, clickCount=1)

    def key(self, name, shift=False):
        code = KEYS.get(name, ord(name.upper()[0]))
        common = {"key": name, "code": name if len(name) > 1 else "", "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        text = TEXT.get(name, name if len(name) == 1 else None)
        self.ask("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def resize(self, width, height):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, scheme="light", motion="reduce"):
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": motion}])

    def shoot(self, path, whole=False):
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")
        picture = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(picture["data"]))

    def close(self):
        with contextlib.suppress(Failure, OSError):
            os.write(self.out, json.dumps({"id": 1 << 30, "method": "Browser.close"}).encode() + b"\0")
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for end in (self.out, self.inward):
            with contextlib.suppress(OSError):
                os.close(end)

        def removed():
            shutil.rmtree(self.profile, ignore_errors=True)
            return not os.path.exists(self.profile)

        watch(removed, bool, 5)  # its helpers may write to the last

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
