"""The console as somebody who uses it sees it: signing in, what the picture shows, and what a page owes to everybody (names of
controls, roles, contrast)."""
import json

SIGNS = "document.querySelectorAll('.node')"

# Text whose contrast with what is behind it is less than WCAG 2.1 (1.4.3) asks for, and how much that is.
CONTRAST = """
(() => {
  const parse = (text) => {
    const numbers = (text.match(/[-\\d.e]+/g) ?? []).map(Number);
    if (text.startsWith('rgb')) return [numbers[0], numbers[1], numbers[2], numbers[3] ?? 1];
    if (text.startsWith('color(srgb')) return [numbers[0] * 255, numbers[1] * 255, numbers[2] * 255, numbers[3] ?? 1];
    return [0, 0, 0, 0];
  };
  const over = ([r, g, b, a], under) => [r * a + under[0] * (1 - a), g * a + under[1] * (1 - a), b * a + under[2] * (1 - a), 1];
  const light = ([r, g, b]) => {
    const of = (value) => { const v = value / 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
    return 0.2126 * of(r) + 0.7152 * of(g) + 0.0722 * of(b);
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      // In the picture: the box that the text stands in.
      const box = at instanceof SVGGElement ? at.querySelector(':scope > .frame, :scope > rect') : null;
      layers.push(parse(box ? getComputedStyle(box).fill : at instanceof SVGElement && !(at instanceof SVGSVGElement) ? 'none' : style.backgroundColor));
      if (layers.at(-1)[3] === 1) break;
      const card = at.dataset?.id?.startsWith('ports:') || at.classList?.contains('chip') ? document.querySelector('.node.card > .frame') : null;
      if (card) { layers.push(parse(getComputedStyle(card).fill)); break; }
    }
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255, 1]);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || element.closest('.unseen, title, option, script, style, noscript, :disabled')) continue;
    const style = getComputedStyle(element);
    let opacity = 1;
    for (let at = element; at; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
    const ground = behind(element);
    const colour = parse(element instanceof SVGElement ? style.fill : style.color);
    colour[3] *= opacity;
    const [one, other] = [light(over(colour, ground)), light(ground)];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    seen += 1;
    const faded = element.closest('.traced .edges'); // beside the way, while a trace is shown
    if (ratio < 4.5 && !faded) found.push(`${text.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return { seen, found };
})()
"""

# What is wrong with the page for who does not see it, or has no mouse.
FLAWS = """
(() => {
  const found = [];
  const shown = (element) => element.checkVisibility();
  for (const input of document.querySelectorAll('input, select')) {
    if (shown(input) && !input.labels.length && !input.getAttribute('aria-label')) found.push('no label: ' + input.outerHTML);
  }
  for (const element of document.querySelectorAll('[aria-controls], [aria-labelledby], [aria-describedby], label[for]')) {
    for (const name of ['aria-controls', 'aria-labelledby', 'aria-describedby', 'for']) {
      const id = element.getAttribute(name);
      if (id && !document.getElementById(id)) found.push(`${name} names ${id}, which is not there`);
    }
  }
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push('twice: ' + id);
  for (const image of document.images) if (!image.hasAttribute('alt')) found.push('no alt: ' + image.src);
  const levels = [...document.querySelectorAll('h1, h2, h3, h4')].filter(shown).map((heading) => Number(heading.tagName[1]));
  levels.forEach((level, at) => { if (at && level > levels[at - 1] + 1) found.push(`a heading of level ${level} behind one of ${levels[at - 1]}`); });
  if (levels[0] !== 1 || levels.filter((level) => level === 1).length !== 1) found.push('headings: ' + levels);
  if (!document.documentElement.lang) found.push('no language');
  if ([...document.querySelectorAll('main')].filter(shown).length !== 1) found.push('not one main part');
  const tabs = [...document.querySelectorAll('[role=tab]')].filter(shown);
  if (tabs.length && tabs.filter((tab) => tab.getAttribute('aria-selected') === 'true' && tab.tabIndex === 0).length !== 1) found.push('tabs');
  const nodes = [...document.querySelectorAll('.node')].filter(shown);
  if (nodes.length && nodes.filter((node) => node.tabIndex === 0).length !== 1) found.push('not one box of the picture is reached by Tab');
  for (const control of document.querySelectorAll('button, a[href], input, select, summary')) {
    if (!shown(control) || control.closest('.unseen')) continue;
    const box = control.getBoundingClientRect();
    const inText = control.classList.contains('link') || control.tagName === 'SUMMARY' || control.classList.contains('skip') || control.type === 'radio';
    if (!inText && (box.height < 24 || box.width < 24)) found.push(`small: ${control.outerHTML.slice(0, 80)} ${box.width}x${box.height}`);
  }
  return found;
})()
"""


class Console:
    """The page of a daemon in a browser."""

    def __init__(self, browser, lab):
        self.browser, self.lab = browser, lab
        self.url = lab.rest_url.replace("/midonet-api/", "/console/")

    def open(self):
        self.browser.open(self.url)
        self.browser.until("!document.getElementById('login').hidden || !document.getElementById('console').hidden", "the page shows itself")

    def fill_password(self, user, password, project=None):
        self.browser.value("document.querySelector('[name=way][value=password]').click()")
        self.browser.type("#user", user)
        self.browser.type("#password", password)
        if project:
            self.browser.value("document.querySelector('#by-password details').open = true")
            self.browser.type("#project", project)
        self.browser.key("Enter")

    def fill_token(self, token):
        self.browser.value("document.querySelector('[name=way][value=token]').click()")
        self.browser.type("#token", token)
        self.browser.key("Enter")

    def sign_in(self, token):
        self.open()
        self.leave()
        self.fill_token(token)
        self.browser.until("!document.getElementById('console').hidden", "signed in")
        self.browser.until("document.getElementById('stream').dataset.state === 'live' && document.querySelectorAll('.node').length > 0", "the picture is drawn")

    def sign_out(self):
        self.browser.click("#sign-out")
        self.browser.until("!document.getElementById('login').hidden", "signed out")

    def leave(self):
        """Signs out, if somebody is in."""
        if self.browser.value("!document.getElementById('console').hidden"):
            self.sign_out()

    def refused(self):
        return self.browser.until("!document.getElementById('login-error').hidden && document.getElementById('login-error').innerText", "the page says why not")

    # --- the picture ---

    def labels(self, kind):
        """What boxes of that kind say, for who does not see them."""
        return self.browser.value(f"[...document.querySelectorAll('.node.{kind}')].map((e) => e.getAttribute('aria-label'))")

    def box(self, text):
        return f"[...{SIGNS}].find((e) => e.getAttribute('aria-label').includes({json.dumps(text)}))"

    def wait_box(self, text, there=True, seconds=10.0):
        self.browser.until(f"{'!!' if there else '!'}{self.box(text)}", f"{'a' if there else 'no'} box '{text}'", seconds)

    def focused(self):
        return self.browser.value("document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.innerText ?? ''")

    def tab(self, name):
        self.browser.click(f"#tab-{name}")
        self.browser.until(f"!document.getElementById('{name}').hidden", f"the tab {name}")

    # --- what it owes to everybody ---

    def check_access(self, checks, what):
        flaws = self.browser.value(FLAWS)
        checks.equal(f"{what}: nothing is in the way of anybody", flaws, [])
        tree = self.browser.ask("Accessibility.getFullAXTree")["nodes"]
        wanted = {"button", "link", "textbox", "searchbox", "combobox", "radio", "tab", "tabpanel", "img", "heading", "application"}
        nameless = [each["role"]["value"] for each in tree if not each["ignored"] and each.get("role", {}).get("value") in wanted
                    and not each.get("name", {}).get("value", "").strip()]
        checks.equal(f"{what}: everything has a name", nameless, [])
        for scheme in ("light", "dark"):
            self.browser.prefer(scheme)
            contrast = self.browser.value(CONTRAST)
            checks.check(f"{what}, {scheme}: contrast of {contrast['seen']} texts", not contrast["found"] and contrast["seen"] > 3, contrast["found"])
        self.browser.prefer("light")
