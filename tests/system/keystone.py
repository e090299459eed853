"""OpenStack's Keystone, the real one (Debian's python3-keystone), for system tests: on loopback of this network namespace, with a
database of its own in a directory, gone with the object.

  with Keystone(directory) as keystone:
      keystone.add_user("carol", "secret", "blue", "admin")
      ... keystone.url, keystone.kill(), keystone.start()
"""
import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading

from etcd import end_with_parent
from lab import Failure, run, wait_for

CONFIG = """[DEFAULT]
log_file = {directory}/keystone.log
[database]
connection = sqlite:///{directory}/keystone.db
[fernet_tokens]
key_repository = {directory}/fernet
[credential]
key_repository = {directory}/credential
[cache]
enabled = false
[oslo_messaging_notifications]
driver = noop
[identity]
password_hash_rounds = 4
[token]
allow_expired_window = 0
expiration = {lifetime}
"""
ADMIN = "password-of-admin"
# Debian's programs are for Debian's Python, which another one in the path may hide.
ENVIRONMENT = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


class Keystone:
    """Ready when made; `admin` is a user of it with the role admin, in the project admin."""

    def __init__(self, directory, port=5000):
        self.directory, self.port = directory / "keystone", port
        self.url = f"http://127.0.0.1:{port}/v3"
        self.process, self.token = None, None
        for folder in (self.directory, self.directory / "fernet", self.directory / "credential"):
            folder.mkdir(mode=0o700)
        self.config = self.directory / "keystone.conf"
        self.configure(3600)
        beside = [subprocess.Popen(self.manage(kind, "--keystone-user", "root", "--keystone-group", "root"), env=ENVIRONMENT,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for kind in ("fernet_setup", "credential_setup")]
        run(*self.manage("db_sync"), env=ENVIRONMENT)
        # Keystone writes by one connection while another of its own reads: only with a write-ahead log SQLite lets it.
        with contextlib.closing(sqlite3.connect(self.directory / "keystone.db")) as database:
            database.execute("PRAGMA journal_mode=WAL")
        if any(process.wait(60) != 0 for process in beside):
            raise Failure(f"Keystone's keys: {self.log()}")
        run(*self.manage("bootstrap", "--bootstrap-password", ADMIN, "--bootstrap-public-url", self.url,
                         "--bootstrap-region-id", "RegionOne"), env=ENVIRONMENT)
        self.start()

    def configure(self, lifetime):
        self.config.write_text(CONFIG.format(directory=self.directory, lifetime=lifetime))

    def restart(self, lifetime):
        """`lifetime`: of tokens that it gives from now on, in seconds."""
        self.kill()
        self.configure(lifetime)
        self.token = None
        self.start()

    def manage(self, *words):
        return ["/usr/bin/keystone-manage", "--config-file", str(self.config), *words]

    def log(self):
        paths = [self.directory / name for name in ("keystone.log", "output")]
        return "\n".join(path.read_text()[-3000:] for path in paths if path.exists())

    def start(self):
        with open(self.directory / "output", "a") as output:
            self.process = subprocess.Popen(["/usr/bin/keystone-wsgi-public", "--host", "127.0.0.1", "--port", str(self.port)],
                                            env={**ENVIRONMENT, "OS_KEYSTONE_CONFIG_FILES": str(self.config)},
                                            stdout=output, stderr=output, preexec_fn=end_with_parent)

        def ready():
            if self.process.poll() is not None:
                raise Failure(f"Keystone ended with {self.process.returncode}: {self.log()}")
            try:
                return self.ask("GET", "/v3")[0] == 200
            except OSError:
                return False

        wait_for(ready, "Keystone starts", 60, pause=0.1)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    # --- what its administrator does ---

    def ask(self, method, path, body=None, token=None, more=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": "application/json", **({"X-Auth-Token": token} if token else {}), **(more or {})}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            text = response.read()
            return response.status, dict(response.getheaders()), json.loads(text) if text.startswith(b"{") else text.decode()
        finally:
            connection.close()

    def do(self, method, path, body=None):
        if self.token is None:
            self.token = self.log_in("admin", ADMIN, "admin")
        status, _, answer = self.ask(method, "/v3" + path, body, self.token)
        if status >= 300:
            raise Failure(f"Keystone: {method} {path}: {status} {answer}")
        return answer

    def log_in(self, user, password, project):
        """A token of Keystone itself; an empty project: of no project."""
        domain = {"name": "Default"}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": user, "domain": domain, "password": password}}}}}
        if project:
            body["auth"]["scope"] = {"project": {"name": project, "domain": domain}}
        status, headers, answer = self.ask("POST", "/v3/auth/tokens", body)
        if status != 201:
            raise Failure(f"Keystone: {user} does not come in: {status} {answer}")
        return headers["X-Subject-Token"]

    def revoke(self, token):
        status, _, answer = self.ask("DELETE", "/v3/auth/tokens", token=self.token, more={"X-Subject-Token": token})
        if status != 204:
            raise Failure(f"Keystone does not take a token back: {status} {answer}")

    def named(self, kind, name):
        """The id of a role or project, made when there is none."""
        found = self.do("GET", f"/{kind}s?name={name}")[f"{kind}s"]
        return (found[0] if found else self.do("POST", f"/{kind}s", {kind: {"name": name}})[kind])["id"]

    def change_user(self, name, **changes):
        """A user who is disabled, or has another password, loses all tokens."""
        user = self.do("GET", f"/users?name={name}")["users"][0]["id"]
        self.do("PATCH", f"/users/{user}", {"user": changes})

    def add_user(self, name, password, project, *roles):
        user = self.do("POST", "/users", {"user": {"name": name, "password": password}})["user"]["id"]
        for role in roles:
            self.do("PUT", f"/projects/{self.named('project', project)}/users/{user}/roles/{self.named('role', role)}")


class TlsFront:
    """A port of loopback that speaks TLS, in front of one that does not."""

    def __init__(self, certificate, key, to_port):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.to_port = to_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept_all, daemon=True).start()

    def accept_all(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            with self.context.wrap_socket(connection, server_side=True) as outside, \
                    socket.create_connection(("127.0.0.1", self.to_port)) as inside:
                threading.Thread(target=self.copy, args=(inside, outside), daemon=True).start()
                self.copy(outside, inside)
        except OSError:  # who does not trust the certificate goes
            connection.close()

    @staticmethod
    def copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        try:
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()
