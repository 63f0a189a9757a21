/* strace.c: prints the program's system calls as Linux's strace does, one line
 * each when it has returned:  [THREAD] NAME(ARGUMENTS) = RESULT
 *
 *   whelk ext load NAME strace.wasm && whelk stream NAME strace
 *
 * Calls that do not return are shown when they are made. Bytes that are not in
 * memory at that moment are shown by their address. */
#include <whelk.h>

#include "sys/names.h"

WHELK_MODULE

enum { CALLS = 512, LINE = 1024, SHOWN = 32 /* bytes of a buffer, as strace */, PATH = 200 };
enum { EXIT = 60, EXIT_GROUP = 231 };

static const char *const names[CALLS] = {
#define X(number, name) [number] = #name,
    LINUX_CALL_NAMES(X)
#undef X
};

/* How to show the arguments, a letter each:
 *   d number   x bits   o octal   p address   D folder (AT_FDCWD)   s path
 *   w bytes, as many as the next argument says   r bytes, as many as the result says */
static const struct {
    whelk_u32 number;
    const char *arguments;
} shapes[] = {
    {0, "drd"}, {1, "dwd"}, {2, "sxo"}, {3, "d"}, {4, "sp"}, {5, "dp"}, {6, "sp"}, {7, "pdd"}, {8, "ddd"}, {9, "pdxxdd"},
    {10, "pdx"}, {11, "pd"}, {12, "p"}, {13, "dppd"}, {14, "dppd"}, {15, ""}, {16, "dxp"}, {17, "drdd"}, {18, "dwdd"},
    {19, "dpd"}, {20, "dpd"}, {21, "sd"}, {22, "p"}, {24, ""}, {25, "pddxp"}, {28, "pdd"}, {32, "d"}, {33, "dd"},
    {34, ""}, {35, "pp"}, {39, ""}, {40, "ddpd"}, {41, "ddd"}, {42, "dpd"}, {43, "dpp"}, {44, "dwdxpd"}, {45, "drdxpp"},
    {46, "dpx"}, {47, "dpx"}, {48, "dd"}, {49, "dpd"}, {50, "dd"}, {51, "dpp"}, {52, "dpp"}, {53, "dddp"}, {54, "dddpd"},
    {55, "dddpp"}, {56, "xpppp"}, {60, "d"}, {62, "dd"}, {63, "p"}, {72, "ddp"}, {77, "dd"}, {79, "pd"}, {80, "s"},
    {82, "ss"}, {83, "so"}, {84, "s"}, {87, "s"}, {89, "spd"}, {96, "pp"}, {97, "dp"}, {102, ""}, {104, ""}, {107, ""},
    {108, ""}, {110, ""}, {131, "pp"}, {157, "ddddd"}, {158, "dp"}, {186, ""}, {200, "dd"}, {202, "pddppd"},
    {217, "dpd"}, {218, "p"}, {228, "dp"}, {230, "ddpp"}, {231, "d"}, {232, "dpdd"}, {233, "dddp"}, {234, "ddd"},
    {257, "Dsxo"}, {262, "Dspx"}, {263, "Dsx"}, {267, "Dspd"}, {269, "Dsd"}, {270, "dppppp"}, {271, "pdppd"}, {273, "pd"},
    {281, "dpddpd"}, {284, "d"}, {288, "dppx"}, {290, "dx"}, {291, "x"}, {292, "ddx"}, {293, "px"}, {302, "ddpp"},
    {318, "pdx"}, {332, "Dsxxp"}, {334, "pdxx"},
};

/* The ones that programs meet; others by number. */
static const struct {
    int number;
    const char *name;
} errors[] = {
    {1, "EPERM"}, {2, "ENOENT"}, {3, "ESRCH"}, {4, "EINTR"}, {5, "EIO"}, {9, "EBADF"}, {10, "ECHILD"}, {11, "EAGAIN"},
    {12, "ENOMEM"}, {13, "EACCES"}, {14, "EFAULT"}, {17, "EEXIST"}, {20, "ENOTDIR"}, {21, "EISDIR"}, {22, "EINVAL"},
    {24, "EMFILE"}, {25, "ENOTTY"}, {28, "ENOSPC"}, {29, "ESPIPE"}, {32, "EPIPE"}, {34, "ERANGE"}, {36, "ENAMETOOLONG"},
    {38, "ENOSYS"}, {88, "ENOTSOCK"}, {92, "ENOPROTOOPT"}, {95, "EOPNOTSUPP"}, {97, "EAFNOSUPPORT"}, {98, "EADDRINUSE"},
    {104, "ECONNRESET"}, {106, "EISCONN"}, {107, "ENOTCONN"}, {110, "ETIMEDOUT"}, {111, "ECONNREFUSED"}, {115, "EINPROGRESS"},
};

static char line[LINE];
static whelk_u32 used;

static void put(char c) {
    if (used < LINE - 1) line[used++] = c;
}
static void put_text(const char *text) {
    while (*text) put(*text++);
}
static void put_digits(whelk_u64 v, unsigned base) {
    char digits[24];
    int n = 0;
    do digits[n++] = "0123456789abcdef"[v % base];
    while (v /= base);
    while (n) put(digits[--n]);
}
static void put_number(whelk_i64 v) {
    if (v < 0) put('-');
    put_digits(v < 0 ? -(whelk_u64)v : (whelk_u64)v, 10);
}
static void put_hex(whelk_u64 v) {
    put_text(v ? "0x" : "");
    put_digits(v, 16);
}
static void put_address(whelk_u64 v) {
    if (v) put_hex(v);
    else put_text("NULL");
}

static void put_byte(unsigned char c) {
    if (c == '\n') put_text("\\n");
    else if (c == '\r') put_text("\\r");
    else if (c == '\t') put_text("\\t");
    else if (c == '"' || c == '\\') put('\\'), put((char)c);
    else if (c >= ' ' && c < 127) put((char)c);
    else put('\\'), put_digits(c, 8);
}

static void put_bytes(whelk_u64 at, whelk_i64 n) {
    unsigned char bytes[SHOWN];
    whelk_u32 want = n < 0 ? 0 : n < SHOWN ? (whelk_u32)n : SHOWN;
    if (n < 0 || whelk_syscall_read(at, bytes, want) < want) return put_address(at);
    put('"');
    for (whelk_u32 i = 0; i < want; i++) put_byte(bytes[i]);
    put_text(n > SHOWN ? "\"..." : "\"");
}

static void put_path(whelk_u64 at) {
    unsigned char bytes[PATH];
    whelk_u32 n = whelk_syscall_read(at, bytes, PATH), i = 0;
    while (i < n && bytes[i]) i++;
    if (i == n && n < PATH) return put_address(at); /* its end could not be had */
    put('"');
    for (whelk_u32 k = 0; k < i; k++) put_byte(bytes[k]);
    put_text(i == PATH ? "\"..." : "\"");
}

static void put_argument(char kind, whelk_u32 i, whelk_i64 result) {
    whelk_u64 v = whelk_syscall_arg(i);
    switch (kind) {
    case 'x': put_hex((whelk_u32)v); break;
    case 'o': put('0'), put_digits((whelk_u32)v, 8); break;
    case 'p': put_address(v); break;
    case 's': put_path(v); break;
    case 'w': put_bytes(v, (whelk_i64)whelk_syscall_arg(i + 1)); break;
    case 'r': put_bytes(v, result); break;
    case 'D':
        if ((int)v == -100) put_text("AT_FDCWD");
        else put_number((int)v);
        break;
    default: put_number((int)v == (whelk_i64)v || v <= 0xffffffff ? (int)v : (whelk_i64)v);
    }
}

static const char *shape_of(whelk_u32 number) {
    for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (shapes[i].number == number) return shapes[i].arguments;
    return "xxxxxx";
}

static void put_call(whelk_u32 number, whelk_u32 thread, whelk_i64 result) {
    used = 0;
    put('['), put_digits(thread, 10), put_text("] ");
    if (number < CALLS && names[number]) put_text(names[number]);
    else put_text("syscall_"), put_digits(number, 10);
    put('(');
    const char *shape = shape_of(number);
    for (whelk_u32 i = 0; shape[i]; i++) {
        if (i) put_text(", ");
        put_argument(shape[i], i, result);
    }
    put_text(") = ");
}

static void put_result(whelk_i64 result) {
    if (result >= 0 || result < -4095) {
        if (result > 0xffffffff || result < 0) return put_hex((whelk_u64)result);
        return put_number(result);
    }
    put_text("-1 ");
    for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].number == -result) return put_text(errors[i].name);
    put('E'), put_number(-result);
}

static void send(void) {
    line[used++] = '\n';
    whelk_stream_write(line, used);
}

WHELK_CALL_ENTER {
    if (number != EXIT && number != EXIT_GROUP) return WHELK_PASS;
    put_call(number, thread, 0);
    put('?');
    send();
    return WHELK_PASS;
}

WHELK_CALL_EXIT {
    whelk_i64 result = whelk_syscall_result();
    put_call(number, thread, result);
    put_result(result);
    send();
}
