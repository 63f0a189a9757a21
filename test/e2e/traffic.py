"""traffic: clients of the examples' server, well behaved and not, for the soak.

Each is a thread that repeats one `round` until it is told to end. Between rounds it can be held
still: it then has no connection open. What a round finds wrong is a failure of the test."""
import http.client
import os
import random
import socket
import struct
import threading
import time

PATIENCE = 60  # of a request: QEMU's network has a backlog of one, a lost SYN waits for seconds
BIG = 700_000


class Worker(threading.Thread):
    """`round` again and again. `why` tells what failed."""

    def __init__(self, soak, name):
        super().__init__(daemon=True, name=name)
        self.soak, self.random = soak, random.Random(f'{soak.seed}/{name}')
        self.still = threading.Event()

    def run(self):
        while not self.soak.ending.is_set():
            if not self.soak.going.is_set():
                self.rest()
                self.still.set()
                self.soak.going.wait(1)
                continue
            self.still.clear()
            try:
                self.round()
            except Exception as e:  # whatever it was, it should not have been
                self.soak.fail(f'{self.name}: {type(e).__name__}: {e}')
                self.rest()
                time.sleep(0.5)
        self.still.set()

    def rest(self):
        """Lets go of what it holds."""

    def pause(self, low, high):
        self.soak.ending.wait(self.random.uniform(low, high))


class Pages:
    """The files that are served, and how each answer must look."""

    def __init__(self):
        r = random.Random(1)
        self.bodies = {name: r.randbytes(size) for name, size in (('small.txt', 900), ('page.html', 60_000), ('big.bin', BIG))}

    def write(self, folder):
        for name, body in self.bodies.items():
            with open(os.path.join(folder, name), 'wb') as f:
                f.write(body)

    def check(self, path, body):
        if path.startswith('/n/'):
            right = body == path[3:].encode() + b'\n'
        else:
            right = body == self.bodies[path[1:]]
        if not right:
            raise ValueError(f'GET {path}: {len(body)} bytes, and the wrong ones: {body[:60]!r}')


class Http(Worker):
    """Requests whose answers are compared, over connections that carry up to `most` of them."""

    def __init__(self, soak, name, most, paths, pause):
        super().__init__(soak, name)
        self.most, self.paths, self.waits = most, paths, pause

    def round(self):
        c = http.client.HTTPConnection('127.0.0.1', self.soak.guest.port, timeout=PATIENCE)
        try:
            for _ in range(self.random.randint(1, self.most)):
                self.request(c)
                if not self.soak.going.is_set():
                    break
        finally:
            c.close()
        self.pause(*self.waits)

    def request(self, c):
        path = self.random.choice(self.paths)
        if path == '/n/':
            path += str(self.random.randrange(10**9))
        method = 'HEAD' if self.random.random() < 0.05 else 'GET'
        c.request(method, path)
        r = c.getresponse()
        body = r.read()
        if r.status != 200:
            raise OSError(f'{method} {path}: status {r.status}')
        if method == 'GET':
            self.soak.pages.check(path, body)
        self.soak.count('requests')


class Pipeline(Worker):
    """Many requests in one segment; the answers come in their order."""

    def round(self):
        numbers = [self.random.randrange(10**6) for _ in range(self.random.randint(2, 20))]
        text = ''.join(f'GET /n/{n} HTTP/1.1\r\nHost: a\r\n\r\n' for n in numbers[:-1])
        text += f'GET /n/{numbers[-1]} HTTP/1.1\r\nConnection: close\r\n\r\n'
        with socket.create_connection(('127.0.0.1', self.soak.guest.port), timeout=PATIENCE) as s:
            s.sendall(text.encode())
            answer = b''
            while part := s.recv(65536):
                answer += part
        told = [int(part.split(b'\r\n\r\n')[1]) for part in answer.split(b'HTTP/1.1 200 OK\r\n')[1:]]
        if told != numbers:
            raise ValueError(f'asked in one go for {numbers}, answered {told}')
        self.soak.count('requests', len(numbers))
        self.pause(0.05, 0.3)


class Rude(Worker):
    """Connections that are broken, silent, or say what is no request. At most HELD stay open."""

    HELD = 12

    def __init__(self, soak, name):
        super().__init__(soak, name)
        self.held, self.port = [], 0

    def round(self):
        what = self.random.choice([self.garbage, self.reset, self.half, self.nothing, self.unread])
        try:
            what()
        except OSError as e:
            raise OSError(f'{what.__name__}, from port {self.port}: {e!r}') from e
        while len(self.held) > self.random.randint(0, self.HELD):
            self.held.pop(0).close()
        self.soak.count('rude')
        self.pause(0.02, 0.2)

    def rest(self):
        while self.held:
            self.held.pop().close()

    def connect(self):
        s = socket.create_connection(('127.0.0.1', self.soak.guest.port), timeout=PATIENCE)
        self.port = s.getsockname()[1]
        return s

    def garbage(self):
        """Ends in 400, or in the server's waiting for more."""
        with self.connect() as s:
            s.sendall(self.random.randbytes(self.random.randint(1, 3000)) + b'\r\n\r\n')
            s.shutdown(socket.SHUT_WR)
            try:
                answer = s.recv(4096)
            except ConnectionResetError:  # it closed with bytes of ours unread
                return
            if answer and not answer.startswith(b'HTTP/1.1 4'):
                raise ValueError(f'garbage was answered with {answer[:60]!r}')

    def reset(self):
        """A large answer, cut off by RST."""
        with self.connect() as s:
            s.sendall(b'GET /big.bin HTTP/1.1\r\n\r\n')
            s.recv(self.random.randint(1, 100_000))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))

    def half(self):
        s = self.connect()
        s.sendall(b'GET /n/1 HTTP/1.1\r\nHost:'[:self.random.randint(1, 20)])
        self.held.append(s)

    def nothing(self):
        self.held.append(self.connect())

    def unread(self):
        """Asks for much and takes nothing."""
        s = self.connect()
        s.sendall(b'GET /big.bin HTTP/1.1\r\n\r\n')
        self.held.append(s)


# --- frames, from their Ethernet type on ---

GUEST = bytes([10, 0, 2, 15])


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(protocol, payload, source=bytes([10, 0, 2, 2]), offset=0, ident=0):
    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), ident, offset, 64, protocol, 0, source, GUEST)
    return b'\x08\x00' + head[:10] + struct.pack('!H', checksum(head)) + head[12:] + payload


def stranger(r):
    """An address of the guest's network that nobody has: not the gateway's, whose name nobody may take."""
    return bytes([10, 0, 2, r.randint(100, 250)])


def tcp(r, flags):
    """A segment for the server from a stranger, with or without options, its checksum right."""
    source, words = stranger(r), r.randint(0, 10)
    head = struct.pack('!HHIIBBHHH', r.randint(1024, 65535), 80, r.randrange(2**32), r.randrange(2**32),
                       (5 + words) << 4, flags, r.randrange(65536), 0, 0) + r.randbytes(4 * words) + r.randbytes(r.randint(0, 200))
    pseudo = source + GUEST + struct.pack('!BBH', 0, 6, len(head))
    return ipv4(6, head[:16] + struct.pack('!H', checksum(pseudo + head)) + head[18:], source)


def icmp_echo(r):
    body = struct.pack('!BBHHH', 8, 0, 0, r.randrange(65536), 1) + r.randbytes(r.randint(0, 1000))
    return ipv4(1, body[:2] + struct.pack('!H', checksum(body)) + body[4:])


def fragment(r):
    more = r.choice([0, 0x2000])
    return ipv4(r.choice([1, 6, 17]), r.randbytes(8 * r.randint(1, 100)), stranger(r), more | r.randint(0, 300), r.randint(0, 20))


def datagram(r):
    """A length that is a lie, often."""
    return ipv4(17, struct.pack('!HHHH', r.randrange(65536), r.choice([68, 53, 9999]), r.randint(0, 2000), 0) + r.randbytes(r.randint(0, 600)),
                stranger(r))


def arp(r):
    return b'\x08\x06' + struct.pack('!HHBBH', 1, 0x800, 6, 4, r.choice([1, 2, r.randrange(65536)])) \
        + r.randbytes(6) + stranger(r) + bytes(6) + GUEST


def damaged(r):
    """One of the others with some bytes changed. The sender stays: it is no stranger who takes the gateway's name."""
    f = bytearray(r.choice([icmp_echo, fragment, datagram, lambda x: tcp(x, 2)])(r))
    for _ in range(r.randint(1, 4)):
        at = r.randrange(2, len(f))
        f[at] = r.randrange(256)
    return bytes(f)


FRAMES = [icmp_echo, icmp_echo, fragment, datagram, arp, damaged, damaged,
          lambda r: tcp(r, 2), lambda r: tcp(r, r.randrange(256)),
          lambda r: b'\x08\x00' + r.randbytes(r.randint(1, 1400)), lambda r: struct.pack('!H', r.choice([0x800, 0x806, 0x86dd, r.randrange(0x600, 65536)])) + r.randbytes(r.randint(0, 1400))]


def frame(r):
    """Never an ARP packet that takes the gateway's name: that one would be believed, as on any Ethernet."""
    while True:
        f = r.choice(FRAMES)(r)[:1472]
        if f[:2] != b'\x08\x06' or f[16:20] != bytes([10, 0, 2, 2]):
            return f
