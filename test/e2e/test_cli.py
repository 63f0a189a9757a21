#!/usr/bin/env python3
"""The host command against a fake guest (fake/qemu-system-x86_64): verbs, statuses, the broker."""
import json, os, re, shutil, signal, socket, struct, subprocess, sys, tempfile, time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), '../..'))
WHELK = os.path.join(TOP, os.environ.get('WHELK', 'build/whelk'))
FAULTY = os.environ.get('WHELK_FAULTY', 'build/fault/whelk')
KERNEL = os.path.join(TOP, os.environ.get('WHELK_KERNEL', 'build/vm/whelk.elf'))
PATIENCE = 120  # seconds for what takes one: a busy host takes the CPU away for as long as it likes
passed = failed = 0


def check(ok, what):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f'test_cli: failed: {what}', flush=True)


def whelk(*args, status=0, has='', says='', input=None):
    """Runs a verb; checks its exit status, and texts in its output and in its messages."""
    r = subprocess.run([WHELK, *args], env=environment, capture_output=True, timeout=PATIENCE, input=input)
    out, err = r.stdout.decode(errors='replace'), r.stderr.decode(errors='replace')
    check(r.returncode == status, f'whelk {args}: status {r.returncode}, want {status}: {err}')
    check(has in out, f'whelk {args}: no {has!r} in {out!r}')
    check(says in err, f'whelk {args}: no {says!r} in {err!r}')
    return r.stdout


def until_listed(name):
    """Waits until the guest lists an extension: loads take a moment."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        done = subprocess.run([WHELK, 'ext', 'ls', '--json', 'web'], env=environment, capture_output=True, timeout=PATIENCE)
        if f'"name":"{name}"'.encode() in done.stdout:
            return check(True, name)
        time.sleep(0.1)
    check(False, f'{name} is not listed')


def test_usage():
    whelk(status=2, says='usage')
    whelk('--help', has='run')
    whelk('frobnicate', status=2, says="no verb 'frobnicate'")
    for verb in 'run ps logs stop rm completion ext trace call cp wasm check lines'.split():
        whelk(verb, '--help', has='usage')
    whelk('run', status=2, says='PROGRAM')
    whelk('run', '--bogus', status=2, says='--bogus')
    whelk('run', '-p', 'x:80', '/bin/true', status=2, says='-p x:80')
    whelk('run', '-m', '1M', '/bin/true', status=2, says='16M')
    whelk('run', '--accel', 'xen', '/bin/true', status=2, says='--accel xen')
    whelk('run', '--machine', 'pdp11', '/bin/true', status=2, says='--machine pdp11')
    whelk('run', '--tap', 'tap0', '-p', '80:80', '/bin/true', status=2, says='--tap')
    for ip in '10.0.2.300/24', '10.0.2.15', '10.0.2.15/33', '10.0.2.15/24,gw=x', '10.0.2.15/24,mtu=1', '':
        whelk('run', '--ip', ip, '/bin/true', status=2, says='--ip')
    whelk('run', '--name', '../x', '/bin/true', status=125, says='--name ../x')
    whelk('run', '/no/such', status=127, says='/no/such: No such file')
    whelk('run', '/tmp', status=126, says='not a file')
    whelk('run', '--ext', '/no/ext.wasm', '/bin/true', status=125, says='/no/ext.wasm')
    whelk('run', '--kernel', '/no/kernel', '/bin/true', status=125, says='/no/kernel')
    whelk('ext', 'ls', 'nobody', status=1, says='no guest named nobody')
    whelk('ps')


def test_wasm():
    """WASI programs in the command's own process."""
    wasi = os.path.join(TOP, 'build/wasi')
    with tempfile.TemporaryDirectory() as d:
        for name, args, options, status in ('preview1', [], [], 0), ('files', ['one', ''], ['-e', 'WHO=me'], 42):
            whelk('wasm', '--dir', f'{d}::/data', *options, f'{wasi}/{name}.wasm', '--', *args, status=status, has='ok')
        with open(f'{d}/library.wasm', 'wb') as f:
            f.write(b'\0asm\1\0\0\0')
        whelk('wasm', f'{d}/library.wasm', status=126, says='no _start')
        with open(f'{d}/cut.wasm', 'wb') as f:
            f.write(b'\0asm\1\0\0\0\1')
        whelk('wasm', f'{d}/cut.wasm', status=126, says='offset 9')
    whelk('wasm', status=2, says='FILE.wasm')
    whelk('wasm', '/no/such.wasm', status=127, says='/no/such.wasm')
    whelk('wasm', '--dir', '/no/dir', f'{wasi}/echo.wasm', status=1, says='--dir /no/dir')
    whelk('wasm', '--listen', 'x', f'{wasi}/echo.wasm', status=2, says='--listen x')
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    p = subprocess.Popen([WHELK, 'wasm', '--listen', str(port), f'{wasi}/echo.wasm'], stdout=subprocess.PIPE, env=environment)
    check(p.stdout.readline() == b'listening\n', 'echo.wasm listens')
    with socket.create_connection(('127.0.0.1', port), timeout=PATIENCE) as s:
        s.sendall(b'through a listener' * 20)
        s.shutdown(socket.SHUT_WR)
        back = b''
        while part := s.recv(4096):
            back += part
    check(back == b'through a listener' * 20, f'echo.wasm gives back {back!r}')
    check(p.wait(PATIENCE) == 0, 'echo.wasm ends')


def test_cache():
    """Compiled code is kept, in files that need not be trusted."""
    files = os.path.join(TOP, 'build/wasi/files.wasm')
    with tempfile.TemporaryDirectory() as d, tempfile.TemporaryDirectory() as data:
        kept = f'{d}/whelk'
        here = dict(environment, XDG_CACHE_HOME=d)

        def run(*options, env=here):
            r = subprocess.run([WHELK, 'wasm', *options, '--dir', f'{data}::/data', '-e', 'WHO=me', files, '--', 'one', ''],
                               env=env, capture_output=True, timeout=PATIENCE)
            check(r.returncode == 42 and b'ok' in r.stdout, f'files.wasm with a cache: {r.returncode} {r.stderr!r}')
            return {e.name: e.stat() for e in os.scandir(kept)} if os.path.isdir(kept) else {}

        check(not run('--no-cache'), 'nothing is kept with --no-cache')
        first = run()
        check(len(first) == 1, f'one file is kept: {first}')
        name, st = *first, *first.values()
        check(name.endswith('.code') and len(name) == 69, f'its name is a key: {name}')
        check(st.st_mode & 0o777 == 0o600 and os.stat(kept).st_mode & 0o777 == 0o700, 'for its owner only')
        second = run()
        check(second[name].st_ino == st.st_ino, 'it is used the second time')
        check(second[name].st_mtime_ns > st.st_mtime_ns, 'and says when')
        for at in 0, 50, 100, st.st_size // 2, st.st_size - 1:  # damage; it is found out, and the file is written anew
            with open(f'{kept}/{name}', 'r+b') as f:
                f.seek(at)
                b = f.read(1)[0]
                f.seek(at)
                f.write(bytes([b ^ 1]))
            check(run()[name].st_ino != second[name].st_ino, f'damage at {at} is found')
            second = run()
        os.truncate(f'{kept}/{name}', 99)
        run()
        check(os.stat(f'{kept}/{name}').st_size == st.st_size, 'a file that was cut is written anew')
        # What is too much goes, the oldest first; what is not ours stays.
        for k in range(3):
            with open(f'{kept}/{k:064x}.code', 'wb') as f:
                f.truncate(128 << 20)
            os.utime(f'{kept}/{k:064x}.code', (k, k))
        open(f'{kept}/notes', 'w').close()
        os.unlink(f'{kept}/{name}')
        check(set(run()) == {name, 'notes', f'{2:064x}.code'}, f'the oldest go: {sorted(os.listdir(kept))}')
        # No place for it: no cache, and no complaint.
        with open(f'{data}/file', 'w'):
            pass
        for nowhere in {'XDG_CACHE_HOME': f'{data}/file'}, {'XDG_CACHE_HOME': 'relative', 'HOME': '/nowhere'}:
            run(env=dict(environment, **nowhere))


def test_traps():
    """Why and where a module trapped, down to lines of its source."""
    source = """
static int less(int a) { return -a; }
__attribute__((noinline)) static int pick(int (*f)(int, int), int n) {
    return f(n, n + 1);
}
__attribute__((noinline)) static int deeper(int *p, int n) {
    return n ? deeper(p, deeper(p, n - 1)) : *p;
}
int (*volatile wrong)(int, int) = (int (*)(int, int))(void *)less;
void _start(void) {
    if (WHICH) deeper((int *)0xfffffff0, 2);
    pick(wrong, 7);
}
"""
    with tempfile.TemporaryDirectory() as d:
        open(f'{d}/t.c', 'w').write(source)
        for which in 0, 1:
            subprocess.run(['clang-19', '--target=wasm32', '-g', '-O1', '-nostdlib', '-Wl,--export=_start', f'-DWHICH={which}', 't.c', '-o', f't{which}.wasm'],
                           check=True, cwd=d)
        said = whelk_says('wasm', f'{d}/t0.wasm', status=134)
        check('(less) is called through a pointer as (i32, i32) -> i32, but is (i32) -> i32' in said, f'a wrong pointer: {said}')
        for place in 't.c:4:12', 't.c:12:5':
            check(place in said, f'no {place} in {said}')
        said = whelk_says('wasm', f'{d}/t1.wasm', status=134)
        lines = [line for line in said.splitlines() if '  at ' in line]
        check([line.split()[2] for line in lines] == ['deeper:'] * 3 + ['_start:'], f'where: {said}')
        check(len(lines) == 4 and 't.c:7:' in lines[0] and 't.c:7:' in lines[2] and 't.c:11:' in lines[3], f'lines: {said}')
        text = ''.join(line.split(' (')[0] + '\n' for line in lines)
        whelk('lines', f'{d}/t1.wasm', input=text.encode(), has='t.c:11:')
        whelk('lines', f'{d}/t1.wasm', '99+0x1', has='99+0x1 ??')
        whelk('lines', f'{d}/t1.wasm', '1-2', status=2, says='FUNCTION+OFFSET')
        whelk('lines', f'{d}/none.wasm', status=1, says='none.wasm')
        whelk('lines', status=2, says='FILE.wasm')


def whelk_says(*args, status):
    r = subprocess.run([WHELK, *args], env=environment, capture_output=True, timeout=PATIENCE)
    check(r.returncode == status, f'whelk {args}: status {r.returncode}, want {status}: {r.stderr}')
    return r.stderr.decode(errors='replace')


def test_initrd():
    os.makedirs(f'{work}/root/sub')
    open(f'{work}/root/sub/file', 'w').write('12345')
    os.symlink('sub/file', f'{work}/root/link')
    os.environ['x'] = ''
    environment['FAKE_DIE'] = '33'
    out = whelk('run', '--root', f'{work}/root', '-e', 'A=1', '/bin/true', '--', 'a b', '', has="argv: ['/bin/true', 'a b', '']").decode()
    check('initrd: sub 40755 0\n' in out and 'initrd: sub/file 100644 5\n' in out, 'folder and file are in the initrd')
    check('initrd: link 120777 8\n' in out and 'initrd: .whelk/env 100644 4\n' in out, 'link and environment too')
    whelk('run', '--root', f'{work}/root', 'sub/file', has="argv: ['/sub/file']")
    for qemu, want in ((33, 0), (35, 125), (37, 126), (39, 127), (1, 125), (2 * 0x21 + 1, 1), (2 * 0x2a + 1, 10)):
        environment['FAKE_DIE'] = str(qemu)
        whelk('run', '/bin/true', status=want)
    del environment['FAKE_DIE']
    check(not [d for d in os.listdir(f'{work}/state/whelk-{os.getuid()}')], 'no guest folder is left')


def start(*args):
    guest = subprocess.Popen([WHELK, 'run', '--name', 'web', *args, '/bin/true'], env=environment,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    path = f'{work}/state/whelk-{os.getuid()}/web/ctl.sock'
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        if os.path.exists(path):
            return guest, path
        time.sleep(0.05)
    raise SystemExit('test_cli: the guest did not start')


def test_verbs():
    module, text = f'{work}/tap.wasm', f'{work}/bad.wasm'
    open(module, 'wb').write(b'\0asm\1\0\0\0')
    open(text, 'w').write('(module)')
    guest, _ = start('--ext', module)
    whelk('run', '--name', 'web', '/bin/true', status=125, says='runs already')
    whelk('ps', has='web')
    until_listed('tap')
    whelk('ext', 'load', 'web', module, '--as', 'two@x'.split('@')[0], has='net.tap')
    whelk('ext', 'ls', 'web', '--json', has='{"name":"two"}')
    whelk('ext', 'ls', 'web', has='two  ')
    whelk('ext', 'load', 'web', module, '--as', 'two', status=1, says='already')
    whelk('ext', 'load', '--replace', '--as', 'two', 'web', module)
    whelk('ext', 'load', 'web', text, status=1, says=f'{text}: bad: bad magic at offset 0')
    whelk('ext', 'load', 'web', '/no/file.wasm', status=1, says='/no/file.wasm')
    whelk('ext', 'load', 'web', module, '--budget', '1x', status=2, says='--budget 1x: a whole number, or one with us, ms or s')
    whelk('ext', 'load', 'web', module, '--memory', '17179869184G', status=2, says='--memory 17179869184G')
    whelk('ext', 'load', '--replace', '--as', 'two', 'web', module, '--budget', '20ms', '--memory', '64M', has='20000000 ns 67108864 bytes')
    whelk('ext', 'load', '--replace', '--as', 'two', 'web', module, '--budget', '5', '--memory', '65536', has='5 ns 65536 bytes')
    whelk('ext', 'stat', 'web', has='{"asked": ""}')
    whelk('ext', 'unload', 'web', 'two')
    whelk('ext', 'unload', 'web', 'two', status=1, says='no extension two (not found)')
    whelk('call', '-i', '-', 'web', 'tap', has='cba', input=b'abc')
    whelk('cp', 'web:/etc/motd', f'{work}/motd')
    check(open(f'{work}/motd').read() == 'hello there\n', 'cp copies the bytes')
    os.mkdir(f'{work}/folder')
    whelk('cp', 'web:/etc/motd', f'{work}/folder')
    check(open(f'{work}/folder/motd').read() == 'hello there\n', 'in a folder the file keeps its name')
    whelk('cp', 'web:/etc/motd', f'{work}/none/motd', status=1, says='none/motd')
    whelk('cp', 'web:/etc/none', '-', status=1, says='/etc/none: no such file')
    whelk('stop', 'web')
    check(guest.wait(PATIENCE) == 0, 'an orderly end is status 0')
    check(b'loaded tap' in guest.stdout.read(), '--ext was loaded')
    whelk('ps')


def test_trace():
    tracer = f'{work}/tracer.wasm'
    open(tracer, 'wb').write(b'\0asm\1\0\0\0')
    guest, _ = start()
    trace = subprocess.Popen([WHELK, 'trace', 'web', '-w', f'{work}/t.pcap', '--tracer', tracer], env=environment,
                             stderr=subprocess.PIPE)
    until_listed('tracer')  # another client, while the stream is open
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        if os.path.exists(f'{work}/t.pcap') and os.path.getsize(f'{work}/t.pcap') >= 24 + 2 * 16 + 3:
            break
        time.sleep(0.1)
    trace.send_signal(signal.SIGINT)
    check(trace.wait(PATIENCE) == 0, 'trace ends in order')
    data = open(f'{work}/t.pcap', 'rb').read()
    check(len(data) == 24 + 3 * 16 + 6, f'only whole records, the last ones too: {len(data)} bytes')
    check(b'3 packets' in (said := trace.stderr.read()) and b'unloaded' in said, f'trace counts packets: {said}')
    check('tracer' not in whelk('ext', 'ls', 'web').decode(), 'the tracer is unloaded')
    guest.send_signal(signal.SIGINT)
    check(guest.wait(PATIENCE) == 0, 'Ctrl-C shuts the guest down in order')


def test_broker():
    guest, path = start()
    rude = socket.socket(socket.AF_UNIX)
    rude.connect(path)
    rude.sendall(b'garbage' * 100 + struct.pack('<IHHII', 0x4b4c4857, 1, 2, 9, 1000) + b'part of a frame')
    rude.close()  # in the middle of a frame
    whelk('ext', 'stat', 'web', 'x', has='{"asked": "x"}')
    slow = subprocess.Popen([WHELK, 'ext', 'stat', 'web', 'slow'], env=environment, stdout=subprocess.PIPE)
    fast = [subprocess.Popen([WHELK, 'ext', 'stat', 'web', f'n{i}'], env=environment, stdout=subprocess.PIPE) for i in range(8)]
    answers = [p.communicate(timeout=PATIENCE)[0].decode() for p in fast]
    check(all(f'"n{i}"' in a for i, a in enumerate(answers)), f'answers reach who asked: {answers}')
    check('slow' in slow.communicate(timeout=PATIENCE)[0].decode(), 'the slow one too')
    guest.send_signal(signal.SIGTERM)
    check(guest.wait(PATIENCE) == 0, 'SIGTERM shuts the guest down in order')


MODULE = """(module (import "env" "now" (func (result i64))) (memory 1)
  (func (export "net.tap") (param i32 i32) (i32.store (local.get 0) (local.get 1))))"""


def test_contract():
    """Another version, none, a handler of another type: each is refused by name."""
    native = '(import "whelk" "frame_time" (func (result i64)))'
    cases = ((f'(module {native})', b'', 'does not say'), ('(module (func (export "net.tap")))', b'', 'net.tap has another type'),
             (f'(module {native})', b'\0\x0a\x05whelk\7\0\0\0', 'ABI version: 7'), (f'(module {native})', b'\0\x0a\x05whelk\1\0\0\0', ''))
    for text, custom, says in cases:
        open(f'{work}/c.wat', 'w').write(text)
        subprocess.run(['wat2wasm', f'{work}/c.wat', '-o', f'{work}/c.wasm'], check=True)
        open(f'{work}/c.wasm', 'ab').write(custom)
        whelk('check', f'{work}/c.wasm', status=1 if says else 0, says=says)


def test_check():
    text, module, cut = f'{work}/m.wat', f'{work}/m.wasm', f'{work}/cut.wasm'
    open(text, 'w').write(MODULE)
    subprocess.run(['wat2wasm', text, '-o', module], check=True)
    out = whelk('check', module, has='import function env.now () -> (i64)').decode()
    check('export function net.tap (i32 i32) -> ()  <- hook net.tap' in out, 'check names the hook')
    check('machine code: ' in out and '1 trap sites' in out, 'check compiles')
    whelk('check', f'{TOP}/build/wasi/args.wasm', has='_start () -> ()  <- a program: ')
    whelk('check', '--dump', module, has='[r15+')
    whelk('check', '--dump=B', module, has='after build')
    whelk('check', '--time', module, has='alloc')
    check(whelk('check', '-q', module) == b'', 'quiet')
    open(cut, 'wb').write(open(module, 'rb').read()[:-3])
    whelk('check', cut, status=1, says=f'{cut}: offset ')
    whelk('check', text, status=1, says='wat2wasm')
    whelk('check', f'{work}/none.wasm', status=1, says='none.wasm: No such file')
    whelk('check', status=2, says='usage')


def test_proof():
    '''A compiler with a bug: what it emits is refused by name, as ours.'''
    text, module = f'{work}/p.wat', f'{work}/p.wasm'
    open(text, 'w').write('(module (memory 1) (func) (func (param i32) (result i32)'
                          ' (call 0) (i32.load offset=8 (i32.add (local.get 0) (i32.const 1)))))')
    subprocess.run(['wat2wasm', text, '-o', module], check=True)
    names = re.findall(r'X\(([A-Z_]+)\)', open(f'{TOP}/base/fault.h').read())
    whelk('check', '--time', module, has='% of all, ')
    for name, says in ('INDEX_SCALE', 'address may leave the memory'), ('TRAP_SITE', 'trap table disagrees'), ('', ''):
        r = subprocess.run([f'{TOP}/{FAULTY}', 'check', module], capture_output=True, text=True, timeout=PATIENCE,
                           env=environment | {'WHELK_FAULT': str(names.index(name) + 1 if name else 0)})
        check(r.returncode == (1 if name else 0), f'{name}: status {r.returncode}: {r.stderr}')
        if name:
            said = re.search(r'p\.wasm: offset \d+ \(0x[0-9a-f]+\): our bug: code of function 1 refused at \+0x[0-9a-f]+ \(0x[0-9a-f]+\): (.*); please report it', r.stderr)
            check(said and says in said[1], f'{name}: {r.stderr}')
        else:
            check('proof ' in r.stdout, f'the proof has a time: {r.stdout}')


def test_detach():
    check(whelk('run', '-d', '--name', 'bg', '/bin/true') == b'bg\n', '-d prints the name')
    whelk('ps', has='bg')
    check(json.loads(whelk('ps', '--json'))[0].items() >= {'name': 'bg', 'state': 'running', 'program': '/bin/true'}.items(), 'ps --json')
    whelk('logs', 'bg', has='initrd: .whelk/argv')
    whelk('rm', 'bg', status=1, says='it runs')
    follow = subprocess.Popen([WHELK, 'logs', '-f', '-n', '1', 'bg'], env=environment, stdout=subprocess.PIPE)
    whelk('stop', 'bg')
    check(follow.communicate(timeout=PATIENCE)[0].count(b'\n') >= 1 and follow.returncode == 0, 'logs -f ends with the guest')
    check(whelk('ps', '-q') == b'', 'ps lists what runs')
    check(json.loads(whelk('ps', '-a', '--json')) == [{'name': 'bg', 'state': 'exited', 'status': 0, 'program': '/bin/true'}], 'ps -a')
    whelk('logs', 'bg', has='initrd: .whelk/argv')
    whelk('logs', '-n', 'x', 'bg', status=2, says='-n x')
    whelk('rm', 'bg', 'nobody', status=1, says='no guest named nobody')
    check(whelk('ps', '-a', '-q') == b'', 'rm forgets')
    whelk('logs', 'bg', status=1, says='no guest named bg')
    check(whelk('run', '-d', '--name', 'bg', '/bin/true') == b'bg\n', 'the name is free again')
    whelk('rm', '-f', 'bg')
    check(whelk('ps', '-a', '-q') == b'', 'rm -f stops and forgets')


def test_completion():
    script = whelk('completion', 'bash').decode()
    ask = 'COMP_WORDS=(whelk %s); COMP_CWORD=%d; _whelk; echo ${COMPREPLY[*]}'
    for words, at, has in ('lo', 1, 'logs'), ('logs --f', 2, '--follow'), ('run --me', 2, '--memory'):
        r = subprocess.run(['bash', '-c', script + ask % (words, at)], capture_output=True, text=True, timeout=PATIENCE,
                           env=dict(environment, PATH=os.path.dirname(WHELK) + ':' + environment['PATH']))
        check(has in r.stdout.split(), f'completion of {words!r}: {r.stdout!r} {r.stderr!r}')
    whelk('completion', 'fish', status=2, says='bash')


work = tempfile.mkdtemp(prefix='whelk-test-')
os.makedirs(f'{work}/state')
environment = dict(os.environ, ASAN_OPTIONS='detect_leaks=0', WHELK_KERNEL=KERNEL, XDG_RUNTIME_DIR=f'{work}/state', XDG_CACHE_HOME=f'{work}/cache',
                   PATH=os.path.join(TOP, 'test/e2e/fake') + ':' + os.environ['PATH'])
try:
    for test in (test_usage, test_wasm, test_cache, test_traps, test_initrd, test_verbs, test_trace, test_broker, test_detach, test_completion, test_check, test_proof, test_contract):
        test()
finally:
    shutil.rmtree(work)
print(f'test_cli: {passed} passed, {failed} failed')
sys.exit(1 if failed or not passed else 0)
