"""lab: a guest under test, driven the way a person would: by the host command and HTTP.

Used by tools/demo and by the tests of this folder. Every wait has a limit.
"""
import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WHELK = os.path.join(TOP, 'build', 'whelk')
HTTPD = os.path.join(TOP, 'build', 'examples', 'httpd')
# Words for every `whelk run`: the machine that make e2e-matrix asks for.
OPTIONS = os.environ.get('WHELK_OPTIONS', '').split()
EXT = os.path.join(TOP, 'build', 'ext')
PATIENCE = 60  # seconds for what takes one: a busy host takes the CPU away for as long as it likes
HANDLER = {'tracer': '', 'wasi_tracer': '@net.tap:handle', 'rust_tracer': '@net.tap:handle_pcap'}


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def whelk(*args, timeout=PATIENCE, check=True):
    """Runs the host command; its standard output."""
    done = subprocess.run([WHELK, *args], capture_output=True, text=True, timeout=timeout)
    if check and done.returncode:
        raise RuntimeError(f'whelk {" ".join(args)}: exit {done.returncode}: {done.stderr.strip()}')
    return done.stdout if check else done


class Guest:
    """`whelk run` of the examples' HTTP server, in the foreground of a child."""

    def __init__(self, name, console, dump=None, memory='64M', options=(), args=('80', '/www'), files=None):
        """`files` is called with the folder that is served, to put more into it."""
        self.name, self.port, self.console = f'{name}-{os.getpid()}', free_port(), console
        self.root = tempfile.TemporaryDirectory(prefix='whelk-root-')
        os.makedirs(os.path.join(self.root.name, 'www'))
        with open(os.path.join(self.root.name, 'www', 'index.html'), 'w') as f:
            f.write('<h1>Whelk</h1>\n' + 'A page from inside a unikernel.\n' * 40)
        if files:
            files(os.path.join(self.root.name, 'www'))
        command = [WHELK, 'run', '--name', self.name, '-m', memory, '-p', f'{self.port}:80', '--root', self.root.name]
        if dump:
            command += ['--dump', dump]
        command += [*OPTIONS, *options, HTTPD, '--', *args]
        self.started = time.monotonic()
        self.log = open(console, 'wb')
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)

    def __enter__(self):
        limit = time.monotonic() + 2 * PATIENCE
        while not self.serves():  # a request that comes before hangs, or is served when nobody waits for it any more
            if self.process.poll() is not None:
                raise RuntimeError(f'the guest ended with {self.process.returncode}; see {self.console}')
            if time.monotonic() > limit:
                self.stop()
                raise RuntimeError(f'no server within {2 * PATIENCE} s; see {self.console}')
            time.sleep(0.05)
        self.get('/')
        self.boot_seconds = time.monotonic() - self.started
        return self

    def __exit__(self, *_):
        self.stop()

    def serves(self):
        with open(self.console, 'rb') as f:
            said = f.read()
        return b'httpd: serving' in said and b' eth0: ' in said

    def get(self, path, timeout=PATIENCE):
        c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=timeout)
        try:
            c.request('GET', path)
            r = c.getresponse()
            body = r.read()
            if r.status != 200:
                raise OSError(f'GET {path}: status {r.status}')
            return body
        finally:
            c.close()

    def numbered(self, first, count):
        """Requests /n/FIRST ...; each answer must carry its number."""
        for n in range(first, first + count):
            body = self.get(f'/n/{n}')
            if str(n).encode() not in body:
                raise RuntimeError(f'GET /n/{n}: the answer is {body[:80]!r}')

    def load(self, file, name, **kw):
        return whelk('ext', 'load', self.name, file, '--as', name, **kw)

    def unload(self, name):
        return whelk('ext', 'unload', self.name, name)

    def stat(self, name=None):
        return json.loads(whelk('ext', 'stat', self.name, *([name] if name else [])))

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        if self.alive():
            subprocess.run([WHELK, 'stop', self.name], capture_output=True, timeout=PATIENCE)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(PATIENCE)
        self.log.close()
        self.root.cleanup()


class Client(threading.Thread):
    """Fetches pages the whole time; counts what went wrong."""

    def __init__(self, guest):
        super().__init__(daemon=True)
        self.guest, self.done, self.failed, self.why, self.ending = guest, 0, 0, '', threading.Event()

    def run(self):
        while not self.ending.is_set():
            try:
                self.guest.get('/', timeout=PATIENCE)
                self.done += 1
            except (OSError, http.client.HTTPException) as e:
                self.failed += 1
                self.why = repr(e)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join(PATIENCE)


class Results:
    """Checks that are counted; the last line is what `make check` reads."""

    def __init__(self, name):
        self.name, self.passed, self.failed = name, 0, 0

    def check(self, ok, what):
        print(f'{"ok  " if ok else "FAIL"} {what}', flush=True)
        if ok:
            self.passed += 1
        else:
            self.failed += 1
        return ok

    def end(self):
        print(f'{self.name}: {self.passed} passed, {self.failed} failed')
        return 1 if self.failed or not self.passed else 0
