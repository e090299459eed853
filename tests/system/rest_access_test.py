#!/usr/bin/env python3
"""Who may use the REST API: users with passwords, what guessing costs, users who change while the daemon runs, HTTPS.

All of it, the clients too, is in a network namespace of its own.
"""
import ctypes
import http.client
import os
import signal
import ssl
import sys
import time
from datetime import datetime, timedelta, timezone

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from checks import run_program  # noqa: E402
from lab import run, wait_for, watch  # noqa: E402
from rest_client import RestClient, media  # noqa: E402

CLONE_NEWNET = 0x40000000
CAROL, DAVE = "pass:word:1", "hunter-2-hunter"


def own_network():
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    run("ip", "link", "set", "lo", "up")


# --- the daemon and its users --------------------------------------------------------------------------

def passwords_file(lab):
    return lab.directory / "passwords"


def set_password(lab, name, password, *words, check=True):
    """With the tool, as an operator who does not type."""
    return run(lab.build / "api/cli/viaduct", "rest", "passwd", name, "--file", passwords_file(lab), *words, input=password + "\n", check=check)


def start(lab, rest):
    if lab.daemon and lab.daemon.poll() is None:
        lab.stop_daemon()
    config = lab.directory / "viaductd.toml"
    config.write_text("[rest]\n" + rest)
    lab.start_daemon("--config", config)


def start_with_passwords(lab, more=""):
    start(lab, f'authentication = "password"\npasswords = "{passwords_file(lab)}"\n{more}')


def reload(lab, says):
    offset = len(lab.log())
    lab.daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: all(word in lab.log()[offset:] for word in ("configuration", *says)), f"the log says {says}")


def client_of(lab, token=None, tls=None):
    return RestClient(lab.rest_url, token, tls)


def counted(lab, name, reason):
    lines = [line for line in lab.metrics().splitlines() if line.startswith(f'{name}{{reason="{reason}"}}')]
    return int(sum(float(line.split()[-1]) for line in lines))


def status_of(client, token):
    client.token = token
    return client.get("bridges", "collection.Bridge-v4").status


def login(checks, client, user, password, status=200, project=None, what=None):
    answer = client.log_in(user, password, project)
    checks.check(f"{what or f'{user} logs in'}: {status}", answer.status == status, repr(answer))
    return answer


def may(checks, client, who, reads, changes):
    checks.equal(f"{who} reads", client.get("bridges", "collection.Bridge-v4").status, reads)
    answer = client.post("bridges", "Bridge-v4", {"name": f"of-{who.replace(' ', '-')}"})
    checks.equal(f"{who} changes", answer.status, changes)
    return answer


# --- passwords -----------------------------------------------------------------------------------------

def passwords(checks, lab):
    set_password(lab, "carol", CAROL, "--role", "admin")
    set_password(lab, "dave", DAVE)
    start_with_passwords(lab, "token_lifetime = 3600\n")
    client = client_of(lab)
    began = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
    answer = login(checks, client, "carol", CAROL)
    checks.equal("its type", answer.headers["content-type"], media("Token-v1") + ";charset=UTF-8")
    checks.equal("key and cookie", answer.json["key"], client.token)
    expires = datetime.strptime(answer.json["expires"], "%a, %d-%m-%Y %H:%M:%S UTC")
    checks.check("expires in an hour", timedelta(0) <= expires - began - timedelta(hours=1) < timedelta(minutes=1), answer.json["expires"])
    checks.equal("the cookie", answer.headers["set-cookie"], f"sessionId={client.token}; Expires={answer.json['expires']}")
    checks.check("128 bits or more", len(client.token) >= 32 and int(client.token, 16) >= 0, len(client.token))
    may(checks, client, "carol", 200, 201)
    login(checks, client, "dave", DAVE)
    refused = may(checks, client, "dave", 200, 403)
    checks.check("  says who", "dave" in refused.json["message"], refused.json)
    client.token = (lab.directory / "run/admin.token").read_text()
    may(checks, client, "the admin token", 200, 201)
    for user, password in (("carol", "pass"), ("carol", DAVE), ("eve", CAROL), ("", "")):
        wrong = login(checks, client, user, password, 401, what=f"'{user}' with a wrong password")
        checks.check("  is asked again", wrong.headers.get("www-authenticate", "").startswith("Basic"), wrong.headers)
    for token in (None, "x", "0" * 64):
        checks.equal(f"token {token}", status_of(client, token), 401)
    checks.equal("a login without a user", client_of(lab).ask("POST", "login").status, 401)
    checks.equal("counted", [counted(lab, "viaduct_rest_login_failures_total", reason) for reason in ("wrong_password", "unknown_user")], [2, 1])
    log = lab.log()
    checks.check("in the log", 'user=carol' in log and 'msg="REST login refused" user=eve' in log and "reason=unknown_user" in log)
    checks.check("no password is", CAROL not in log and DAVE not in log and "hunter" not in log)


def guessing(checks, lab):
    client = client_of(lab)
    seen = [client.log_in("dave", "guess").status for _ in range(3)]
    checks.equal("three guesses", seen, [401, 401, 401])
    slowed = login(checks, client, "dave", DAVE, 429, what="the right one behind them")
    checks.check("  says when", 1 <= int(slowed.headers["retry-after"]) <= 2 and "try again in" in slowed.json["message"], slowed)
    checks.check("counted", counted(lab, "viaduct_rest_login_failures_total", "slowed_down") >= 1)
    login(checks, client, "carol", CAROL, what="somebody else meanwhile")
    began = time.monotonic()
    last = watch(lambda: client.log_in("dave", DAVE), lambda answer: answer.status == 200, 10, pause=0.2)
    checks.check("later it works", last.status == 200 and time.monotonic() - began < 5, last)


def users_change(checks, lab):
    client = client_of(lab)
    tokens = {}
    for user, password in (("carol", CAROL), ("dave", DAVE)):
        login(checks, client, user, password)
        tokens[user] = client.token
    changed = set_password(lab, "dave", "another-password")
    checks.check("the tool says what to do", "systemctl reload viaductd" in changed.stdout, changed.stdout)
    set_password(lab, "eve", "password-of-eve", "--role", "admin")
    checks.equal("before SIGHUP", status_of(client, tokens["dave"]), 200)
    reload(lab, ["configuration read again"])
    checks.equal("another password ends the token", status_of(client, tokens["dave"]), 401)
    checks.equal("nobody else's", status_of(client, tokens["carol"]), 200)
    login(checks, client, "dave", DAVE, 401, what="the old password")
    login(checks, client, "dave", "another-password")
    login(checks, client, "eve", "password-of-eve")
    may(checks, client, "eve", 200, 201)
    good = passwords_file(lab).read_text()
    number = len(good.splitlines()) + 1
    passwords_file(lab).write_text(good + "mallory:plain:admin\n")
    reload(lab, ["users of the REST API are not renewed", f"line {number}: the hash is neither bcrypt", "NAME:HASH:ROLE"])
    login(checks, client, "eve", "password-of-eve", what="with a wrong file all stays, eve")
    passwords_file(lab).write_text(good)
    passwords_file(lab).chmod(0o644)
    reload(lab, ["users of the REST API are not renewed", "chmod 0640"])
    passwords_file(lab).chmod(0o640)
    passwords_file(lab).write_text("".join(line for line in good.splitlines(True) if not line.startswith("eve:")))
    eve = client.token
    reload(lab, ["configuration read again"])
    checks.equal("who is gone has no token", status_of(client, eve), 401)


def wrong_files(checks, lab):
    lab.stop_daemon()
    good = passwords_file(lab).read_text()
    command = [*lab.daemon_command(), "--config", lab.directory / "viaductd.toml"]
    for text, mode, says in ((good + "x", 0o640, "three parts"), (good, 0o604, "chmod 0640"), ("", 0o640, "is empty")):
        passwords_file(lab).write_text(text)
        passwords_file(lab).chmod(mode)
        result = run(*command, check=False)
        checks.check(f"no start: {says}", result.returncode != 0 and says in result.stderr and str(passwords_file(lab)) in result.stderr, result.stderr)
    passwords_file(lab).write_text(good)
    passwords_file(lab).chmod(0o640)


def make_certificate(directory):
    """Of 127.0.0.1, by itself: (certificate, key, a context that trusts it)."""
    certificate, key = directory / "rest.pem", directory / "rest.key"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=rest",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate)
    return certificate, key, ssl.create_default_context(cafile=certificate)


def https(checks, lab):
    certificate, key, trusted = make_certificate(lab.directory)
    start_with_passwords(lab, f'certificate = "{certificate}"\nkey = "{key}"\naddress = "0.0.0.0"\n')
    lab.rest_url = lab.rest_url.replace("0.0.0.0", "127.0.0.1")
    checks.check("the URL", lab.rest_url.startswith("https://"), lab.rest_url)
    client = client_of(lab, tls=trusted)
    login(checks, client, "carol", CAROL, what="carol logs in by HTTPS")
    created = may(checks, client, "carol by HTTPS", 200, 201)
    checks.check("links are of HTTPS", created.location.startswith("https://127.0.0.1:"), created.location)
    try:
        client_of(lab, tls=ssl.create_default_context()).get("bridges")
        checks.check("a stranger's certificate", False)
    except ssl.SSLCertVerificationError as error:
        checks.check("a client that does not trust the certificate", True, error.verify_message)
    try:
        checks.check("plain HTTP is not spoken", False, client_of(lab).log_in("carol", CAROL))
    except (OSError, http.client.HTTPException) as error:
        checks.check("plain HTTP is not spoken", True, repr(error))


def play_all(checks, lab, _options):
    own_network()
    lab.datapath = "fake"
    checks.play([passwords, guessing, users_change, wrong_files, https], lab)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, prefix="vt-u"))
