"""pcap: reads captures, and compares a tracer's with QEMU's own.

The two watch from different places: QEMU sees a frame when it leaves or enters
the virtual wire, the tracer when the guest's link layer handles it. Each
direction keeps its order in both; between the directions the order may differ.
So the frames of each direction must be the same bytes, in the same order,
without one missing between the first and the last.
"""
import struct


def read(path):
    """[(seconds, original length, bytes)] of a classic pcap file."""
    data = open(path, 'rb').read()
    if len(data) < 24:
        raise ValueError(f'{path}: {len(data)} bytes are no pcap file')
    magic = data[:4]
    if magic in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1'):
        order = '<'
    elif magic in (b'\xa1\xb2\xc3\xd4', b'\xa1\xb2\x3c\x4d'):
        order = '>'
    else:
        raise ValueError(f'{path}: magic {magic.hex()} is no pcap file')
    frames, at = [], 24
    while at < len(data):
        if len(data) - at < 16:
            raise ValueError(f'{path}: a record header is cut off at offset {at}')
        s, fraction, kept, length = struct.unpack_from(order + 'IIII', data, at)
        if len(data) - at - 16 < kept:
            raise ValueError(f'{path}: a record of {kept} bytes is cut off at offset {at}')
        frames.append((s + fraction * 1e-6, length, data[at + 16:at + 16 + kept]))
        at += 16 + kept
    return frames


def by_direction(frames, mac):
    out = [f[2] for f in frames if f[2][6:12] == mac]
    return {'sent by the guest': out, 'received by the guest': [f[2] for f in frames if f[2][6:12] != mac]}


def guest_mac(frames):
    """The source of the first DHCP request or ARP that is not the gateway's."""
    for _, _, f in frames:
        if f[:6] == b'\xff' * 6 and f[6:8] == b'\x52\x54':
            return f[6:12]
    raise ValueError('no broadcast from a guest in the dump')


def find_run(needle, hay):
    """Where the frames of needle stand in hay without a gap; -1 if nowhere."""
    if not needle:
        return -1
    for i in range(len(hay) - len(needle) + 1):
        if hay[i] == needle[0] and hay[i:i + len(needle)] == needle:
            return i
    return -1


def first_difference(needle, hay):
    starts = [i for i, f in enumerate(hay) if f == needle[0]] if needle else []
    if not starts:
        return 'its first frame is not in the dump' if needle else 'no frame was captured'
    i, k = starts[0], 0
    while k < len(needle) and i + k < len(hay) and needle[k] == hay[i + k]:
        k += 1
    return f'frame {k} of {len(needle)} differs from frame {i + k} of the dump'


def numbers(frames, first, count):
    """Which of the numbered requests are missing from the frames."""
    text = b'\n'.join(f[2] for f in frames)
    return [n for n in range(first, first + count) if b'GET /n/%d ' % n not in text]


def compare(capture, dump):
    """(number of frames, [complaints])."""
    have, want = read(capture), read(dump)
    mac = guest_mac(want)
    complaints = [f'a record keeps {len(f[2])} of {f[1]} bytes' for f in have if f[1] != len(f[2])][:3]
    h, w = by_direction(have, mac), by_direction(want, mac)
    for direction, frames in h.items():
        if find_run(frames, w[direction]) < 0:
            complaints.append(f'{direction}: {first_difference(frames, w[direction])}')
    return len(have), complaints
