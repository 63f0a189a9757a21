/* ctl.h: the control protocol between the host command and a running Whelk.
 *
 * A byte stream (virtio console port, vsock or Unix socket) of frames, both
 * ways: a header, then payload bytes. All numbers little-endian. Requests
 * carry an id chosen by the host; the answer repeats it. Several requests may
 * be outstanding. Streams: after CTL_STREAM is answered CTL_OK, any number of
 * CTL_DATA frames with the same id follow, until CTL_END (from either side).
 *
 * A frame with a bad magic, a length over CTL_MAX or an unknown kind makes the
 * receiver answer CTL_ERROR (id 0) and skip to the next magic: garbage on the
 * channel never stops what is running. */
#ifndef WHELK_CTL_H
#define WHELK_CTL_H

#include <stdint.h>

enum { CTL_MAGIC = 0x4b4c4857 /* "WHLK" */, CTL_VERSION = 1, CTL_MAX = 16 << 20 };

struct ctl_header {
    uint32_t magic;
    uint16_t version;
    uint16_t kind;   /* enum ctl_kind */
    uint32_t id;
    uint32_t length; /* of the payload that follows */
};

enum ctl_kind {
    /* host -> guest */
    CTL_HELLO = 1,  /* -> CTL_OK, payload: text "whelk VERSION" */
    CTL_LOAD = 2,   /* ctl_load, then module bytes -> CTL_OK: text, one line per attached hook */
    CTL_UNLOAD = 3, /* text: name -> CTL_OK */
    CTL_LIST = 4,   /* -> CTL_OK: text, JSON lines, one object per extension */
    CTL_STAT = 5,   /* text: name, or empty for the system -> CTL_OK: JSON */
    CTL_CALL = 6,   /* ctl_call, name, export, words, then bytes -> CTL_OK: bytes;
                     * of a program whose status is not 0: CTL_DATA, then CTL_ERROR */
    CTL_STREAM = 7, /* text: extension name -> CTL_OK, then CTL_DATA ... CTL_END */
    CTL_READ = 8,   /* text: path in the guest -> CTL_OK, CTL_DATA ... CTL_END */
    CTL_STOP = 9,   /* text: reason -> CTL_OK, then an orderly shutdown */
    /* A program of the guest, on /dev/whelk: HELLO to CALL as above, and these
     * (doc/inside.md). Functions come before the loads that import them. */
    CTL_DEFINE = 10, /* ctl_define, then module, name, type -> CTL_OK: u32, its index */
    CTL_PEEK = 11,   /* during an upcall: ctl_memory -> CTL_OK: bytes */
    CTL_POKE = 12,   /* ctl_memory, then bytes -> CTL_OK */
    CTL_RETURN = 13, /* id: the upcall's. ctl_return */
    /* host -> guest, or a program of the guest */
    CTL_RESUME = 14, /* text: name of a quarantined extension -> CTL_OK: its instance was made anew */
    /* guest -> host */
    CTL_OK = 64,
    CTL_ERROR = 65, /* payload: u32 enum err, then text for a person */
    CTL_DATA = 66,
    CTL_UPCALL = 68, /* to the program: ctl_upcall; answered by CTL_RETURN */
    CTL_END = 67,   /* either way; payload: text of why, may be empty */
};

/* Payload of CTL_LOAD: this, then name, hook spec and module, without zero bytes.
 * hook spec is empty (hooks by the module's exports) or "HOOK[:EXPORT]". */
struct ctl_load {
    uint16_t name_length, hook_length;
    uint32_t flags;      /* CTL_LOAD_* */
    uint64_t budget_ns;  /* 0: the default of the hook */
    uint64_t max_memory; /* bytes; 0: the default */
};
enum { CTL_LOAD_REPLACE = 1 /* upgrade an extension of that name */ };

struct ctl_call {
    uint16_t name_length, export_length;
    uint32_t words_length; /* of a program's arguments, each with its zero */
};

struct ctl_define {
    uint16_t module_length, name_length, type_length, reserved;
};
enum { CTL_FUNCTIONS = 32 /* of one program's connection */, CTL_ARGUMENTS = 5 };
struct ctl_upcall {
    uint32_t function, count; /* index; arguments */
    uint64_t arguments[CTL_ARGUMENTS];
};
struct ctl_return {
    uint64_t result;
    uint32_t failed; /* not 0: the extension traps */
    uint32_t reserved;
};
struct ctl_memory {
    uint32_t at, length; /* of the calling extension's memory */
};

#endif
