#!/usr/bin/env python3
"""console_peer SOCKET: the host of test/vm/console.c. Sends a pattern while it reads the echo (slowly at
first, so that buffers fill), checks it, hangs up, calls again and says "again"."""
import socket, sys, threading, time

DATA = bytes(97 + i % 23 for i in range(300000))


def call(path):
    end = time.time() + 60
    while True:
        try:
            s = socket.socket(socket.AF_UNIX)
            s.connect(path)
            s.settimeout(60)
            return s
        except OSError:
            if time.time() > end:
                raise
            time.sleep(0.05)


s = call(sys.argv[1])
threading.Thread(target=s.sendall, args=(DATA,), daemon=True).start()
time.sleep(0.5)
back = b''
while len(back) < len(DATA):
    part = s.recv(65536)
    if not part:
        break
    back += part
s.close()
time.sleep(0.3)
s = call(sys.argv[1])
s.sendall(b'again')
last = s.recv(2)
ok = back == DATA and last == b'ok'
print(f'console peer: {int(ok)} passed, {int(not ok)} failed')
sys.exit(not ok)
