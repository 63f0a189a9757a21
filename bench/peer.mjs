// peer.mjs: an engine of JavaScript as a peer of `whelk bench`: node (V8), bun (JavaScriptCore).
// Lines on stdin: load PATH | run N | compile PATH | micro METRIC DIR. An answer is a line of numbers,
// nanoseconds last, or "-" when there is none.
import { readFileSync, readSync, writeSync } from 'fs';

const CALLS = 200000, REPEAT = 200, BATCH = 32;
const now = () => performance.now() * 1e6;
let serial = 0, run;

// Whatever a program imports answers EBADF.
const imports = { env: { host: (a, b) => (a + b) | 0 }, wasi_snapshot_preview1: new Proxy({}, { get: () => () => 8 }) };

// A custom section that changes: no cache of modules may answer.
function fresh(bytes) {
  const out = new Uint8Array(bytes.length + 8);
  out.set(bytes);
  out.set([0, 6, 1, 0x78, ++serial & 255, serial >> 8 & 255, serial >> 16 & 255, serial >> 24], bytes.length);
  return out;
}

function load(path) {
  const bytes = fresh(readFileSync(path));
  const start = now();
  const module = new WebAssembly.Module(bytes);
  const spent = now() - start;
  const x = new WebAssembly.Instance(module, imports).exports;
  if (x._initialize) x._initialize();
  run = x.run;
  return spent;
}

function timed(repeat, work, before) {
  let spent = 0;
  for (let k = 0; k < repeat; k++) {
    const given = before ? before() : undefined;
    const start = now();
    work(given, k);
    spent += now() - start;
  }
  return spent / repeat;
}

const instance = (m) => new WebAssembly.Instance(m, imports).exports;

function calls(dir, name) {
  const m = new WebAssembly.Module(readFileSync(dir + '/calls.wasm'));
  const x = [instance(m), instance(m)];
  if (name === 'call') return timed(1, () => { for (let k = 0; k < CALLS; k++) x[k & 1].nop(); }) / CALLS;
  if (name === 'call2') return timed(1, () => { for (let k = 0, s = 0; k < CALLS; k++) s = x[k & 1].add(s, k); }) / CALLS;
  return timed(2, (_, k) => x[k][name](CALLS)) / CALLS;
}

function micro(metric, dir) {
  const tiny = readFileSync(dir + '/tiny.wasm');
  const module = new WebAssembly.Module(tiny);
  let live;
  switch (metric) {
  case 'compile-tiny': return timed(REPEAT, (b) => new WebAssembly.Module(b), () => fresh(tiny));
  case 'compile-filter': return timed(REPEAT, (b) => new WebAssembly.Module(b), () => fresh(readFileSync(dir + '/filter.wasm')));
  case 'first_call-tiny': return timed(REPEAT, (b) => instance(new WebAssembly.Module(b)).nop(), () => fresh(tiny));
  case 'instantiate-tiny': return timed(8, () => { live = []; for (let k = 0; k < BATCH; k++) live.push(instance(module)); }) / BATCH;
  case 'call-micro': case 'call2-micro': case 'hostcall-micro': case 'indirect-micro': return calls(dir, metric.split('-')[0]);
  }
  return '-';
}

function answer(line) {
  const [verb, what, more] = line.split(' ');
  if (verb === 'load') return load(what);
  if (verb === 'compile') return timed(1, (b) => new WebAssembly.Module(b), () => fresh(readFileSync(what)));
  if (verb === 'micro') return micro(what, more);
  const start = now(), sum = run(Number(what)) >>> 0;
  return `${sum} ${now() - start}`;
}

let rest = '';
const buffer = Buffer.alloc(4096);
for (;;) {
  const n = readSync(0, buffer, 0, buffer.length, null);
  if (!n) break;
  rest += buffer.toString('latin1', 0, n);
  for (let at; (at = rest.indexOf('\n')) >= 0; rest = rest.slice(at + 1)) {
    let said;
    try { said = answer(rest.slice(0, at)); } catch (e) { said = `- ${e}`.replaceAll('\n', ' '); }
    writeSync(1, `${said}\n`);
  }
}
