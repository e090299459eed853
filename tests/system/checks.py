"""How a system test runs: its options, one line a check, an exit status, and cleaning up whatever happens."""
import argparse
import contextlib
import os
import signal
import sys
import time
import traceback

import lab
from lab import Failure, Lab


class Checks:
    """Prints PASS or FAIL with what was seen; remembers whether anything failed."""

    def __init__(self, only=None):
        self.only = only
        self.passed = 0
        self.failed = []
        self.scope = ""
        self.began = time.monotonic()

    def check(self, what, good, seen=""):
        name = f"{self.scope}: {what}" if self.scope else what
        if good:
            self.passed += 1
        else:
            self.failed.append(name)
        text = str(seen)
        print(f"{'PASS' if good else 'FAIL'} {name}{': ' + text if text else ''}", flush=True)
        return bool(good)

    def equal(self, what, seen, expected):
        return self.check(what, seen == expected, seen if seen == expected else f"{seen!r}, expected {expected!r}")

    def wanted(self, name):
        return not self.only or any(word in name for word in self.only)

    @contextlib.contextmanager
    def scenario(self, name):
        """What raises inside fails this scenario; the next ones still run."""
        outer, self.scope = self.scope, name
        try:
            yield
        except Failure as failure:
            self.check("ran to its end", False, str(failure).strip())
        except Exception:
            self.check("ran to its end", False, traceback.format_exc())
        finally:
            self.scope = outer

    def play(self, scenarios, lab, *more, after=lambda: None):
        """Those that are wanted, one after the other, each as scenario(checks, lab, ...)."""
        for scenario in scenarios:
            if self.wanted(scenario.__name__):
                with self.scenario(scenario.__name__):
                    scenario(self, lab, *more)
                after()

    def finish(self):
        seconds = time.monotonic() - self.began
        print(f"{self.passed} checks passed, {len(self.failed)} failed, {seconds:.0f} s", flush=True)
        for name in self.failed:
            print(f"  failed: {name}")
        return 1 if self.failed or not self.passed else 0


def parse_options(description, extra=lambda parser: None):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="directory of the build")
    parser.add_argument("--datapath", default="ebpf", choices=["ebpf", "ovs"])
    parser.add_argument("--time-scale", type=float, default=lab.TIME_SCALE,
                        help="deadlines are so much longer (slow machines); also VIADUCT_TIME_SCALE")
    parser.add_argument("--only", action="append", help="only scenarios whose name contains this")
    extra(parser)
    return parser.parse_args()


def interrupted(number, frame):
    for again in (signal.SIGINT, signal.SIGTERM):  # not while cleaning up
        signal.signal(again, signal.SIG_IGN)
    raise KeyboardInterrupt


def run_program(description, body, extra=lambda parser: None, make_lab=Lab, **lab_options):
    """body(checks, lab, options) inside a lab that is removed again, also after Ctrl-C or SIGTERM."""
    options = parse_options(description, extra)
    if os.geteuid() != 0:
        print("needs root: it makes network namespaces", file=sys.stderr)
        return 2
    lab.TIME_SCALE = options.time_scale
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)
    checks = Checks(options.only)
    try:
        with make_lab(options.build, datapath=options.datapath, **lab_options) as laboratory, checks.scenario(""):
            body(checks, laboratory, options)
    except Failure as failure:  # before or after all scenarios
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; cleaned up", file=sys.stderr)
        return 130
    return checks.finish()
