"""A service as a child process, and plain HTTP to it."""
import http.client
import json
import pathlib
import re
import signal
import subprocess
import time
import urllib.parse


class Service:
    """Starts the command with flags and waits until /healthz answers; ends it when the block is left."""

    def __init__(self, url, command, **flags):
        self.host = urllib.parse.urlparse(url).netloc
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
        self.process = subprocess.Popen([*command, f"--listen={self.host}", *arguments])

    def __enter__(self):
        deadline = time.monotonic() + 120
        while True:
            try:
                if self.get("/healthz")[0] == 200:
                    return self
            except OSError:
                pass
            if self.process.poll() is not None:
                raise RuntimeError(f"the service ended with {self.process.returncode} instead of listening")
            if time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError("the service does not listen")
            time.sleep(0.05)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def connection(self):
        return http.client.HTTPConnection(self.host, timeout=120)

    def get(self, path):
        connection = self.connection()
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def post(self, path, body):
        """The answer's status, headers and JSON."""
        connection = self.connection()
        try:
            data = body if isinstance(body, (bytes, str)) else json.dumps(body)
            connection.request("POST", path, data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.headers, json.loads(answer.read())
        finally:
            connection.close()

    def metrics(self, model):
        """Metrics of one model, or of none, by name; those of other models and the counts by path are left out."""
        status, text = self.get("/metrics")
        assert status == 200
        found = {}
        for name, labels, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.M):
            if not labels or labels == f'model="{model}"':
                found[name] = float(value)
        return found

    def wait_for(self, model, condition, seconds=30):
        """The first metrics that fulfil the condition."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.metrics(model)
            if condition(found):
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"the metrics stayed at {found}")
            time.sleep(0.002)


def name_of(directory):
    return pathlib.Path(directory).absolute().name
