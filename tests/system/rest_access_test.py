#!/usr/bin/env python3
"""Who may use the REST API: users with passwords, what guessing costs, users who change while the daemon runs, HTTPS, and users of
a real Keystone, which goes away and comes back.

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
from keystone import Keystone, TlsFront  # noqa: E402
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


# --- Keystone ------------------------------------------------------------------------------------------

def start_with_keystone(lab, url, more=""):
    secret = lab.directory / "keystone-password"
    secret.write_text("password-of-viaduct\n")
    secret.chmod(0o600)
    start(lab, f'authentication = "keystone"\nkeystone_url = "{url}"\nkeystone_user = "viaduct"\n'
               f'keystone_password_file = "{secret}"\nkeystone_project = "service"\n{more}')


def keystone_users(checks, lab, keystone):
    keystone.add_user("viaduct", "password-of-viaduct", "service", "service")
    keystone.add_user("carol", CAROL, "blue", "admin")
    keystone.add_user("dave", DAVE, "blue", "reader")
    keystone.add_user("eve", "password-of-eve", "blue", "operator")
    start_with_keystone(lab, keystone.url)
    client = client_of(lab)
    answer = login(checks, client, "carol", CAROL, project="blue")
    checks.check("a token of Keystone", client.token.startswith("gAAAA") and answer.json["key"] == client.token, client.token[:10])
    expires = datetime.strptime(answer.json["expires"], "%a, %d-%m-%Y %H:%M:%S UTC") - datetime.now(timezone.utc).replace(tzinfo=None)
    checks.check("its end is Keystone's", timedelta(minutes=55) < expires <= timedelta(hours=1), expires)
    may(checks, client, "carol", 200, 201)
    login(checks, client, "dave", DAVE, project="blue")
    may(checks, client, "dave", 200, 403)
    refused = login(checks, client, "eve", "password-of-eve", 403, project="blue")
    checks.check("  says why", "eve has no role" in refused.json["message"], refused.json)
    login(checks, client, "dave", CAROL, 401, project="blue", what="a wrong password")
    login(checks, client, "dave", DAVE, 401, project="red", what="a project that is none")
    login(checks, client, "carol", CAROL, 401, what="no project: carol is not in the service's")
    for user, password, project, reads, changes in (("carol", CAROL, "blue", 200, 201), ("dave", DAVE, "blue", 200, 403),
                                                    ("eve", "password-of-eve", "blue", 403, 403), ("carol", CAROL, "", 403, 403)):
        client.token = keystone.log_in(user, password, project)
        may(checks, client, f"{user} with a token from Keystone{'' if project else ' for no project'}", reads, changes)
    for token in (None, "x", client.token + "x"):
        checks.equal(f"token {str(token)[:8]}", status_of(client, token), 401)
    client.token = (lab.directory / "run/admin.token").read_text()
    may(checks, client, "the admin token", 200, 201)
    log = lab.log()
    checks.check("no password is in the log", not any(secret in log for secret in (CAROL, DAVE, "password-of")))


def keystone_revokes(checks, lab, keystone):
    client = client_of(lab)
    token = keystone.log_in("dave", DAVE, "blue")
    keystone.revoke(token)
    checks.equal("a token that Keystone has taken back", status_of(client, token), 401)
    token = keystone.log_in("dave", DAVE, "blue")
    keystone.change_user("dave", enabled=False)
    checks.equal("a user who is disabled", status_of(client, token), 401)
    keystone.change_user("dave", enabled=True)
    # What Keystone took back ends with a second, for tokens of that second too.
    back = watch(lambda: status_of(client, keystone.log_in("dave", DAVE, "blue")), lambda status: status == 200, 10, pause=0.3)
    checks.equal("a user who is enabled again", back, 200)


def keystone_expires(checks, lab, keystone):
    """Tokens that live for seconds: what is remembered of one ends with it."""
    keystone.restart(lifetime=4)
    client = client_of(lab)
    began = time.monotonic()
    token = keystone.log_in("dave", DAVE, "blue")
    checks.equal("a token that lives for 4 s", status_of(client, token), 200)
    last = watch(lambda: status_of(client, token), lambda status: status != 200, 20, pause=0.2)
    checks.check("ends in time", last == 401 and 2 < time.monotonic() - began < 8, f"{last} after {time.monotonic() - began:.1f} s")
    login(checks, client, "dave", DAVE, project="blue", what="with the next one dave is there again")
    keystone.restart(lifetime=3600)


def keystone_away(checks, lab, keystone):
    client = client_of(lab)
    login(checks, client, "carol", CAROL, project="blue")
    known, fresh = client.token, keystone.log_in("carol", CAROL, "blue")
    keystone.kill()
    answers = []
    for token in (fresh, fresh):
        client.token = token
        began = time.monotonic()
        answers.append(client.get("bridges", "collection.Bridge-v4"))
        checks.check("a token that is not known: 503 at once", answers[-1].status == 503 and time.monotonic() - began < 3, answers[-1])
    checks.check("  says when to come back", int(answers[0].headers.get("retry-after", 0)) > 0, answers[0].headers)
    checks.check("  says what is missing", "Keystone" in answers[0].json["message"], answers[0].json)
    login(checks, client, "carol", CAROL, 503, project="blue", what="a login")
    checks.equal("who is known works on", status_of(client, known), 200)
    checks.equal("the admin token, too", status_of(client, (lab.directory / "run/admin.token").read_text()), 200)
    checks.check("counted", counted(lab, "viaduct_rest_keystone_failures_total", "unreachable") >= 1)
    said = [line for line in lab.log().splitlines() if "Keystone does not say who users are" in line]
    checks.check("in the log, once", len(said) == 1 and "reason=unreachable" in said[0], said)
    keystone.start()
    last = watch(lambda: status_of(client, fresh), lambda status: status == 200, 20, pause=0.2)
    checks.equal("when it is back", last, 200)
    checks.check("is in the log", "Keystone answers again" in lab.log())


def keystone_tls(checks, lab, keystone):
    certificate, key, _ = make_certificate(lab.directory)
    front = TlsFront(certificate, key, keystone.port)
    try:
        start_with_keystone(lab, f"https://127.0.0.1:{front.port}/v3/", f'keystone_ca = "{certificate}"\n')
        client = client_of(lab)
        login(checks, client, "carol", CAROL, project="blue", what="carol logs in, Keystone behind TLS")
        checks.equal("a token from elsewhere", status_of(client, keystone.log_in("carol", CAROL, "blue")), 200)
        start_with_keystone(lab, f"https://127.0.0.1:{front.port}/v3")
        login(checks, client_of(lab), "carol", CAROL, 503, project="blue", what="a Keystone whose certificate nobody trusts")
        checks.check("the log says why", "certificate" in lab.log().rsplit("Keystone does not say", 1)[-1])
    finally:
        front.close()


def keystone_service_user(checks, lab, keystone):
    start_with_keystone(lab, keystone.url)
    secret = lab.directory / "keystone-password"
    secret.write_text("wrong")
    reload(lab, ["configuration read again"])
    client = client_of(lab)
    token = keystone.log_in("carol", CAROL, "blue")
    checks.equal("the service user is refused", status_of(client, token), 503)
    checks.check("the log names it", "reason=service_user" in lab.log() and "rest.keystone_user" in lab.log())
    secret.write_text("password-of-viaduct")
    reload(lab, ["configuration read again"])
    checks.equal("with its password again", watch(lambda: status_of(client, token), lambda status: status == 200, 10, pause=0.2), 200)
    keystone.change_user("viaduct", enabled=False)
    keystone.change_user("viaduct", enabled=True)
    fresh = keystone.log_in("carol", CAROL, "blue")
    checks.equal("its token has ended, and is renewed", watch(lambda: status_of(client, fresh), lambda status: status == 200, 10, pause=0.3), 200)


def with_keystone(checks, lab):
    with Keystone(lab.directory) as keystone:
        checks.play([keystone_users, keystone_revokes, keystone_away, keystone_expires, keystone_tls, keystone_service_user], lab, keystone)


def play_all(checks, lab, _options):
    own_network()
    lab.datapath = "fake"
    checks.play([passwords, guessing, users_change, wrong_files, https], lab)
    if not checks.only or any("keystone" in word for word in checks.only):
        with_keystone(checks, lab)


if __name__ == "__main__":
    sys.exit(run_program(__doc__, play_all, prefix="vt-a"))
