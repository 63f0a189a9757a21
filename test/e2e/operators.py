"""operators: people at the host command, for the soak: they load, call, watch, replace, unload and kill.

One round is one task of TASKS or KILLS. It leaves no extension behind; what a killed command may
have left is unloaded when the soak holds still."""
import json
import os
import re
import signal
import socket
import struct
import subprocess
import time

import lab
import pcap
import traffic

OUT = os.path.join(lab.TOP, 'build', 'e2e-soak')

# --- extensions that misbehave: name -> module, and what the kernel must say of them ---

SPIN = '(loop $l (br $l))'
SLOW = 'time budget exceeded'
READS_STDIN = ('(import "wasi_snapshot_preview1" "fd_read" (func (param i32 i32 i32 i32) (result i32)))'
               ' (memory (export "memory") 1)')
BAD = {  # each runs away, or traps, in another hook
    'spin-rx': (f'(func (export "net.rx") (param i32 i32) (result i32) {SPIN} (i32.const 0))', SLOW),
    'spin-tx': (f'(func (export "net.tx") (param i32 i32) (result i32) {SPIN} (i32.const 0))', SLOW),
    'spin-tap': (f'(func (export "net.tap") (param i32 i32) {SPIN})', SLOW),
    'spin-enter': (f'(func (export "call.enter") (param i32 i32) (result i32) {SPIN} (i32.const 0))', SLOW),
    'spin-exit': (f'(func (export "call.exit") (param i32 i32) {SPIN})', SLOW),
    'spin-timer': (f'(func (export "timer") (param i64) (result i64) {SPIN} (i64.const 0))', SLOW),
    'spin-record': (f'{READS_STDIN} (func (export "handle") {SPIN})', SLOW),
    'fill': ('(memory 100) (func (export "net.tap") (param i32 i32) (loop $l'
             ' (memory.fill (i32.const 0) (i32.const 7) (i32.const 6553600)) (br $l)))', SLOW),
    'trap-tap': ('(func (export "net.tap") (param i32 i32) (unreachable))', 'unreachable'),
    'trap-exit': ('(func (export "call.exit") (param i32 i32) (unreachable))', 'unreachable'),
    'trap-record': (f'{READS_STDIN} (func (export "handle") (unreachable))', 'unreachable'),
}
HOSTILE = {'loop': SLOW, 'recursion': 'call stack exhausted', 'oob': 'out of bounds memory access',
           'divide': 'integer divide by zero', 'exit': 'exit with status 3', 'grow': ''}
REFUSED = {'missing_import': 'env.missing', 'wrong_signature': 'env.now', 'truncated': 'offset', 'wrong_abi': 'ABI version',
           'wrong_handler': 'net.rx takes', 'start_loop': SLOW, 'huge': 'limit'}


def build():
    for name, (text, _) in BAD.items():
        wat = os.path.join(OUT, name + '.wat')
        with open(wat, 'w') as f:
            f.write(f'(module {text})')
        subprocess.run(['wat2wasm', wat, '-o', wat[:-4] + '.wasm'], check=True)
    with open(os.path.join(OUT, 'call.wat'), 'w') as f:  # runs away when it is called
        f.write(f'(module (func (export "ctl.call") (param i32) (result i32) {SPIN} (i32.const 0)))')
    subprocess.run(['wat2wasm', os.path.join(OUT, 'call.wat'), '-o', os.path.join(OUT, 'call.wasm')], check=True)


def file_of(name):
    """A module of build/ext, with the hook it is bound to, or one that was built here."""
    path = os.path.join(lab.EXT, name + '.wasm')
    return path + lab.HANDLER.get(name, '')


class Operator(traffic.Worker):
    """Names are `KIND-N`, and `bad-KIND-N` for what is meant to fail: the console is read by them."""

    def __init__(self, soak, name):
        super().__init__(soak, name)
        self.script, self.loaded, self.children = [], [], []

    # --- the verbs ---

    def command(self, *words, **kw):
        return lab.whelk(*words, timeout=120, **kw)

    def guest(self):
        return self.soak.guest.name

    def load(self, file, kind, *options):
        name = f'{kind}-{self.soak.next_number()}'
        self.command('ext', 'load', self.guest(), file, '--as', name, *options)
        self.loaded.append(name)
        self.soak.count('loads')
        return name

    def unload(self, name):
        self.command('ext', 'unload', self.guest(), name)
        self.loaded.remove(name)
        self.soak.count('unloads')

    def unload_well(self, name):
        """Of one that should have had no trouble."""
        state = json.loads(self.command('ext', 'stat', self.guest(), name))
        if state['state'] != 'live' or state['traps'] or state['deadlines'] or state['why']:
            raise ValueError(f'{name}: {state}')
        self.unload(name)

    def call(self, name, text=b''):
        path = os.path.join(OUT, f'{self.name}.in')
        with open(path, 'wb') as f:
            f.write(text)
        done = subprocess.run([lab.WHELK, 'call', '-i', path, self.guest(), name], capture_output=True, timeout=120)
        if done.returncode:
            raise OSError(f'call {name}: exit {done.returncode}: {done.stderr.decode()}')
        return done.stdout

    def begin(self, *words, out=subprocess.DEVNULL):
        child = subprocess.Popen([lab.WHELK, *words], stdout=out, stderr=subprocess.PIPE)
        self.children.append(child)
        return child

    def finish(self, child, number=None):
        """Its status, after a signal if one is named."""
        if number:
            child.send_signal(number)
        child.communicate(timeout=60)
        self.children.remove(child)
        return child.returncode

    def rest(self):
        """What a round that failed left behind. Not a failure again."""
        for child in self.children:
            child.kill()
            child.communicate()
        self.children = []
        for name in self.loaded:
            self.command('ext', 'unload', self.guest(), name, check=False)
        self.loaded = []

    def round(self):
        if not self.script:  # each of them, in another order each time
            self.script = self.random.sample(TASKS + KILLS, len(TASKS + KILLS))
        self.script.pop()(self)
        self.pause(0, 0.2)

    # --- tasks ---

    def tracers(self):
        kind = self.random.choice(['tracer', 'rust_tracer'])
        name = self.load(file_of(kind), kind)
        self.pause(0.1, 1.5)
        self.unload_well(name)

    def capture(self):
        """`whelk trace` to its end, by Ctrl-C: the capture is whole."""
        path = os.path.join(OUT, f'{self.name}.pcap')
        child = self.begin('trace', self.guest(), '-w', path, '--as', f'trace-{self.soak.next_number()}')
        self.pause(0.5, 2)
        status = self.finish(child, signal.SIGINT)
        self.soak.count('loads')
        self.soak.count('unloads')
        if status or not pcap.read(path):
            raise ValueError(f'whelk trace: status {status}')

    def copy(self):
        """What a WASI tracer wrote, fetched once it is whole. One at a time: they would write the same file."""
        with self.soak.trace_file:
            name = self.load(file_of('wasi_tracer'), 'wasi_tracer')
            self.pause(0.2, 0.7)
            self.unload_well(name)
            path = os.path.join(OUT, 'wasi.pcap')
            self.command('cp', f'{self.guest()}:/trace/wasi.pcap', path)
        self.soak.count('copies')
        if os.path.getsize(path):
            pcap.read(path)

    def filter(self):
        name = self.load(file_of('drop_port'), 'drop_port')
        answers = [self.call(name, text) for text in (b'4711', b'', b'9')]
        if not answers[1].startswith(b'port 4711,') or not answers[2].startswith(b'port 9,'):
            raise ValueError(f'{name}: {answers}')
        self.pause(0.1, 1)
        self.unload_well(name)

    def counter(self):
        name = self.load(file_of('syscount'), 'syscount')
        told, limit = '', time.monotonic() + 20  # lost frames can make everybody wait for a second
        while not told and self.soak.going.is_set() and time.monotonic() < limit:
            self.pause(0.3, 1)
            told = self.call(name).decode()
        self.unload_well(name)
        if self.soak.going.is_set() and not re.search(r'^\d+ \w+ \d+ \d+$', told, re.M) or 'unknown' in told:
            raise ValueError(f'{name}: {told!r}')

    def refuser(self):
        """A filter of system calls that refuses none."""
        name = self.load(file_of('deny'), 'deny')
        self.pause(0.1, 1)
        self.unload_well(name)

    def beat(self):
        name = self.load(file_of('heartbeat'), 'heartbeat')
        self.pause(0.1, 2.5)
        beats, first, following = struct.unpack('<QQQ', self.call(name))
        self.unload_well(name)
        if following != first + beats * 10**9:
            raise ValueError(f'{name}: {beats} beats from {first} to {following}')

    def strace(self):
        """Its stream to the end of the extension."""
        path = os.path.join(OUT, f'{self.name}.strace')
        name = self.load(file_of('strace'), 'strace')
        with open(path, 'wb') as f:
            child = self.begin('stream', self.guest(), name, out=f)
            self.pause(0.5, 1.5)
            self.unload_well(name)
            status = self.finish(child)
        if status:
            raise ValueError(f'whelk stream: status {status}')
        self.soak.count('streams')

    def replace(self):
        """Others in its place, under the same name, while events come."""
        name = self.load(file_of('tracer'), 'replaced')
        for kind in self.random.sample(['syscount', 'heartbeat', 'drop_port', 'rust_tracer', 'strace', 'deny'], 3):
            self.command('ext', 'load', self.guest(), file_of(kind), '--as', name, '--replace')
            self.soak.count('loads')
            self.soak.count('unloads')
            self.pause(0, 0.5)
        self.unload_well(name)

    def look(self):
        for words in (('ext', 'ls'), ('ext', 'stat')):
            self.command(*words, self.guest())
        self.command('ps')

    def frames(self):
        """Frames that no network would carry, and UDP and ICMP that is answered."""
        with self.soak.injector:
            name = self.load(os.path.join(lab.EXT, 'test', 'inject.wasm'), 'inject')
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.connect(('127.0.0.1', self.soak.udp_echo))
                s.settimeout(5)
                self.echo(s)
                for _ in range(self.random.randint(50, 300)):
                    self.soak.udp.sendto(traffic.frame(self.random), ('127.0.0.1', self.soak.udp_frames))
                    time.sleep(0.002)
                self.echo(s)
            self.soak.udp.sendto(traffic.icmp_echo(self.random), ('127.0.0.1', self.soak.udp_frames))
            limit = time.monotonic() + 10
            while True:
                injected, _, replies = struct.unpack('<III', self.call(name))
                if injected and replies or time.monotonic() > limit:
                    break
                time.sleep(0.1)
            self.unload_well(name)
        self.soak.count('frames', injected)
        self.soak.count('pings', replies)
        if not injected or not replies:
            raise ValueError(f'{injected} frames injected, {replies} ICMP echo replies')

    def echo(self, s):
        """A datagram comes back. One may be lost on a full queue; three in a row are not."""
        for attempt in range(3):
            text = self.random.randbytes(self.random.randint(1, 1400))
            s.send(text)
            try:
                while s.recv(2000) != text:
                    pass
                return self.soak.count('datagrams')
            except TimeoutError:
                pass
        raise OSError('no UDP echo')

    def beside(self):
        """A second guest of the same kind, to its end."""
        done = subprocess.run([lab.WHELK, 'run', '-m', '32M', '--name', f'beside-{self.soak.next_number()}-{os.getpid()}',
                               *lab.OPTIONS, os.path.join(lab.TOP, 'build', 'examples', 'hello')],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise OSError(f'a guest beside: status {done.returncode}: {done.stdout}{done.stderr}')
        self.soak.count('guests')

    # --- kills ---

    def run_away(self):
        """One that is stopped, on its deadline or by its traps."""
        kind = self.random.choice([*BAD, *HOSTILE])
        hostile = kind in HOSTILE
        words = HOSTILE[kind] if hostile else BAD[kind][1]
        file = os.path.join(lab.EXT, 'hostile', kind + '.wasm') if hostile else os.path.join(OUT, kind + '.wasm')
        name = self.load(file + ('@net.tap:handle' if 'record' in kind else ''), 'bad-' + kind)
        self.stopped(name, words)
        if self.random.random() < 0.3:  # it goes on, with an instance made anew, to the same end
            self.command('ext', 'resume', self.guest(), name)
            self.stopped(name, words)
        if self.random.random() < 0.3:  # another takes its place
            self.command('ext', 'load', self.guest(), file_of('heartbeat'), '--as', name, '--replace')
            self.soak.count('loads')
            self.soak.count('unloads')
        self.unload(name)
        self.soak.count('kills')

    def stopped(self, name, words):
        limit, state = time.monotonic() + 30, {}
        while state.get('state') != 'quarantined' and time.monotonic() < limit:
            state = json.loads(self.command('ext', 'stat', self.guest(), name))
            time.sleep(0.02)
        if state.get('state') != 'quarantined' or words not in state['why']:
            raise ValueError(f'{name}: not stopped for "{words}": {state}')

    def call_runs_away(self):
        name = self.load(os.path.join(OUT, 'call.wasm'), 'bad-call')
        done = self.command('call', self.guest(), name, check=False)
        self.unload(name)
        if done.returncode != 1 or SLOW not in done.stderr:
            raise ValueError(f'{name}: status {done.returncode}: {done.stderr}')
        self.soak.count('kills')

    def refused(self):
        kind, words = self.random.choice(list(REFUSED.items()))
        done = self.command('ext', 'load', self.guest(), os.path.join(lab.EXT, 'hostile', kind + '.wasm'),
                            '--as', f'bad-{kind}-{self.soak.next_number()}', check=False)
        if done.returncode != 1 or words not in done.stderr:
            raise ValueError(f'{kind}: not refused for "{words}": status {done.returncode}: {done.stderr}')
        self.soak.count('kills')

    def reader_killed(self):
        """The reader of a stream, in the middle of it."""
        kind = self.random.choice(['tracer', 'strace'])
        name = self.load(file_of(kind), kind)
        child = self.begin('stream', self.guest(), name)
        self.pause(0.1, 1)
        self.finish(child, signal.SIGKILL)
        if self.random.random() < 0.5:  # and another comes
            child = self.begin('stream', self.guest(), name)
            self.pause(0.1, 0.5)
            self.finish(child, signal.SIGINT)
        self.unload_well(name)
        self.soak.count('kills')

    def reader_stops(self):
        """One that takes nothing for a while: what it does not take is lost and counted, and nobody waits for it."""
        name = self.load(file_of('tracer'), 'tracer')
        child = self.begin('stream', self.guest(), name)
        self.pause(0.1, 0.3)
        child.send_signal(signal.SIGSTOP)
        self.pause(0.5, 2)
        self.unload_well(name)
        child.send_signal(signal.SIGCONT)
        self.finish(child, signal.SIGKILL)
        self.soak.count('kills')

    def command_killed(self):
        """The host command, at any moment of a load, a call or a capture."""
        name = f'cut-{self.soak.next_number()}'
        kind = self.random.choice(['tracer', 'rust_tracer', 'strace', 'syscount'])
        child = self.begin('ext', 'load', self.guest(), file_of(kind), '--as', name)
        time.sleep(self.random.uniform(0, 0.05))
        self.finish(child, signal.SIGKILL)
        for words in (('call', self.guest(), name), ('trace', self.guest(), '-w', '/dev/null', '--as', name)):
            child = self.begin(*words)
            time.sleep(self.random.uniform(0, 0.1))
            self.finish(child, signal.SIGKILL)
        self.command('ext', 'unload', self.guest(), name, check=False)
        self.soak.count('kills')

    def noise(self):
        """Bytes on the control socket that are no message."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.soak.control_socket())
            data = self.random.randbytes(self.random.randint(1, 200))
            if self.random.random() < 0.5:  # a header that promises more than comes
                data = struct.pack('<IHHII', 0x4b4c4857, 1, 2, 7, self.random.choice([100, 1 << 20, 1 << 30])) + data
            s.sendall(data)
            self.pause(0, 0.3)
        self.soak.count('kills')


TASKS = [Operator.tracers, Operator.tracers, Operator.capture, Operator.copy, Operator.filter, Operator.counter, Operator.refuser,
         Operator.beat, Operator.strace, Operator.replace, Operator.look, Operator.frames, Operator.frames, Operator.beside]
KILLS = [Operator.run_away] * 6 + [Operator.call_runs_away, Operator.refused, Operator.refused, Operator.reader_killed,
                                   Operator.reader_stops, Operator.command_killed, Operator.command_killed, Operator.noise]
