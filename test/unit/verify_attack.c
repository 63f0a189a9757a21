/* verify_attack.c: hand-made machine code against the verifier, an attack or more per
 * rule of verify.h, most beside a twin that is harmless and must be accepted.
 *
 * A module is compiled; then its first function's bytes are replaced. In the bytes,
 * what depends on the module (fields, targets) is a mark that place() replaces. */
#include <string.h>

#include "abi/abi.h"
#include "test/lib/proof.h"
#include "test/lib/test.h"
#include "verify/verify.h"

enum { OK = -1, NONE = 0xff };

/* name, rule or OK, frame, trap sites (offsets of memory accesses and of ud2), bytes. */
struct attack {
    const char *name;
    int rule;
    u32 frame;
    u8 traps[4];
    u32 trap_count;
    const char *bytes;
    u32 length;
};

static const struct attack attacks[] = {
    {"ret", OK, 0, {0xff}, 0, "\xc3", 1},
        /* ret */
    {"load, index clean", OK, 0, {2, 0xff}, 1, "\x89\xf8\x41\x8b\x44\x07\x10\xc3", 8},
        /* mov eax, edi; mov eax, [r15 + rax + 16]; ret */
    {"load, index dirty", VERIFY_MEMORY, 0, {0, 0xff}, 1, "\x41\x8b\x44\x3f\x10\xc3", 6},
        /* mov eax, [r15 + rdi + 16]; ret */
    {"load, index sign-extended", VERIFY_MEMORY, 0, {3, 0xff}, 1, "\x48\x63\xc7\x41\x8b\x04\x07\xc3", 8},
        /* movsxd rax, edi; mov eax, [r15 + rax]; ret */
    {"load, index scaled", VERIFY_MEMORY, 0, {2, 0xff}, 1, "\x89\xf8\x41\x8b\x04\x47\xc3", 7},
        /* mov eax, edi; mov eax, [r15 + rax * 2]; ret */
    {"load, index shifted to 35 bits", VERIFY_MEMORY, 0, {6, 0xff}, 1, "\x89\xf8\x48\xc1\xe0\x03\x41\x8b\x04\x07\xc3", 11},
        /* mov eax, edi; shl rax, 3; mov eax, [r15 + rax]; ret */
    {"load, displacement into the front guard", OK, 0, {2, 0xff}, 1, "\x89\xf8\x41\x8b\x84\x07\x00\x00\x00\x80\xc3", 11},
        /* mov eax, edi; mov eax, [r15 + rax - 0x80000000]; ret */
    {"load, the largest displacement", OK, 0, {2, 0xff}, 1, "\x89\xf8\x49\x8b\x84\x07\xff\xff\xff\x7f\xc3", 11},
        /* mov eax, edi; mov rax, [r15 + rax + 0x7fffffff]; ret */
    {"spill reloaded sign-extended", VERIFY_MEMORY, 8, {12, 0xff}, 1, "\x48\x83\xec\x08\x89\x3c\x24\x48\x63\x04\x24\x41\x8b\x04\x07\x48\x83\xc4\x08\xc3", 20},
        /* sub rsp, 8; mov [rsp], edi; movsxd rax, dword ptr [rsp]; mov eax, [r15 + rax]; add rsp, 8; ret */
    {"spill reloaded clean", OK, 8, {10, 0xff}, 1, "\x48\x83\xec\x08\x89\x3c\x24\x8b\x04\x24\x41\x8b\x04\x07\x48\x83\xc4\x08\xc3", 19},
        /* sub rsp, 8; mov [rsp], edi; mov eax, [rsp]; mov eax, [r15 + rax]; add rsp, 8; ret */
    {"spill reloaded wide", VERIFY_MEMORY, 8, {12, 0xff}, 1, "\x48\x83\xec\x08\x89\x3c\x24\x48\x8b\x04\x24\x41\x8b\x04\x07\x48\x83\xc4\x08\xc3", 20},
        /* sub rsp, 8; mov [rsp], edi; mov rax, [rsp + 0]; mov eax, [r15 + rax]; add rsp, 8; ret */
    {"stale after a call", VERIFY_MEMORY, 8, {11, 0xff}, 1, "\x48\x83\xec\x08\x89\xf8\xe8\x00\x00\x00\x7b\x41\x8b\x04\x07\x48\x83\xc4\x08\xc3", 20},
        /* sub rsp, 8; mov eax, edi; call SELF; mov eax, [r15 + rax]; add rsp, 8; ret */
    {"kept over a call", OK, 24, {12, 0xff}, 1, "\x53\x48\x83\xec\x10\x89\xfb\xe8\x00\x00\x00\x7b\x41\x8b\x04\x1f\x48\x83\xc4\x10\x5b\xc3", 22},
        /* push rbx; sub rsp, 16; mov ebx, edi; call SELF; mov eax, [r15 + rbx]; add rsp, 16; pop rbx; ret */
    {"aligned load that may fault", VERIFY_MEMORY, 0, {2, 0xff}, 1, "\x89\xf8\x41\x0f\x54\x04\x07\xc3", 8},
        /* mov eax, edi; andps xmm0, [r15 + rax]; ret */
    {"store of 16 bits", OK, 0, {2, 0xff}, 1, "\x89\xf8\x66\x41\x89\x0c\x07\xc3", 8},
        /* mov eax, edi; mov [r15 + rax], cx; ret */
    {"store of 16 bits that REX.W makes 64", VERIFY_ENCODING, 0, {2, 0xff}, 1, "\x89\xf8\x66\x49\x89\x0c\x07\xc3", 8},
        /* mov eax, edi; mov [r15 + rax], rcx; ret */
    {"exchange of 16 bits that REX.W makes 64", VERIFY_ENCODING, 0, {2, 0xff}, 1, "\x89\xf8\x66\x49\x87\x0c\x07\xc3", 8},
        /* mov eax, edi; xchg [r15 + rax], rcx; ret */
    {"cmpxchg of 16 bits that REX.W makes 64", VERIFY_ENCODING, 0, {4, 0xff}, 1, "\x89\xfa\x89\xf8\xf0\x66\x49\x0f\xb1\x0c\x17\xc3", 12},
        /* mov edx, edi; mov eax, edi; lock cmpxchg [r15 + rdx], rcx; ret */
    {"xadd of 16 bits that REX.W makes 64", VERIFY_ENCODING, 0, {2, 0xff}, 1, "\x89\xf8\xf0\x66\x49\x0f\xc1\x0c\x07\xc3", 10},
        /* mov eax, edi; lock xadd [r15 + rax], rcx; ret */
    {"immediate of 16 bits that REX.W makes 32", VERIFY_ENCODING, 0, {2, 0xff}, 1, "\x89\xf8\x66\x49\xc7\x04\x07\x00\x00\x33\xc0\xc3", 12},
        /* mov eax, edi; mov qword ptr [r15 + rax], 0xffffffffc0330000; ret: an xor eax, eax that is none */
    {"access without a trap entry", VERIFY_TRAPS, 0, {0xff}, 0, "\x89\xf8\x41\x8b\x04\x07\xc3", 7},
        /* mov eax, edi; mov eax, [r15 + rax]; ret */
    {"trap entry without an access", VERIFY_TRAPS, 0, {0, 0xff}, 1, "\x89\xf8\xc3", 3},
        /* mov eax, edi; ret */
    {"store above the frame", VERIFY_FRAME, 8, {0xff}, 0, "\x48\x83\xec\x08\x48\x89\x7c\x24\x08\x48\x83\xc4\x08\xc3", 14},
        /* sub rsp, 8; mov [rsp + 8], rdi; add rsp, 8; ret */
    {"store over half of the return address", VERIFY_FRAME, 8, {0xff}, 0, "\x48\x83\xec\x08\x48\x89\x7c\x24\x04\x48\x83\xc4\x08\xc3", 14},
        /* sub rsp, 8; mov [rsp + 4], rdi; add rsp, 8; ret */
    {"store over a saved register", VERIFY_FRAME, 16, {0xff}, 0, "\x53\x48\x83\xec\x08\x48\x89\x7c\x24\x08\x48\x83\xc4\x08\x5b\xc3", 16},
        /* push rbx; sub rsp, 8; mov [rsp + 8], rdi; add rsp, 8; pop rbx; ret */
    {"store below the frame", VERIFY_FRAME, 8, {0xff}, 0, "\x48\x83\xec\x08\x48\x89\x7c\x24\xf8\x48\x83\xc4\x08\xc3", 14},
        /* sub rsp, 8; mov [rsp - 8], rdi; add rsp, 8; ret */
    {"store by an index from rsp", VERIFY_FRAME, 8, {0xff}, 0, "\x48\x83\xec\x08\x48\x89\x3c\x04\x48\x83\xc4\x08\xc3", 13},
        /* sub rsp, 8; mov [rsp + rax], rdi; add rsp, 8; ret */
    {"frame larger than declared", VERIFY_FRAME, 8, {0xff}, 0, "\x48\x83\xec\x10\x48\x83\xc4\x10\xc3", 9},
        /* sub rsp, 16; add rsp, 16; ret */
    {"frame without probes", VERIFY_FRAME, 8192, {0xff}, 0, "\x48\x81\xec\x00\x20\x00\x00\x48\x81\xc4\x00\x20\x00\x00\xc3", 15},
        /* sub rsp, 8192; add rsp, 8192; ret */
    {"frame with probes", OK, 8192, {0xff}, 0, "\x48\x81\xec\x00\x10\x00\x00\x85\x04\x24\x48\x81\xec\x00\x10\x00\x00\x48\x81\xc4\x00\x20\x00\x00\xc3", 25},
        /* sub rsp, 4096; test [rsp], eax; sub rsp, 4096; add rsp, 8192; ret */
    {"frame below the return address", VERIFY_PINNED, 0, {0xff}, 0, "\x48\x83\xec\xf8\xc3", 5},
        /* sub rsp, -8; ret */
    {"frame of nothing", VERIFY_PINNED, 0, {0xff}, 0, "\x48\x83\xec\x00\xc3", 5},
        /* sub rsp, 0; ret */
    {"frame below the return address, far", VERIFY_PINNED, 8, {0xff}, 0, "\x53\x48\x81\xec\x00\xff\xff\xff\x5b\xc3", 10},
        /* push rbx; sub rsp, -256; pop rbx; ret */
    {"frame below the return address, behind a probe", VERIFY_PINNED, 4096, {0xff}, 0, "\x48\x81\xec\x00\x10\x00\x00\x85\x04\x24\x48\x83\xec\xf8\x48\x81\xc4\x00\x10\x00\x00\xc3", 22},
        /* sub rsp, 4096; test [rsp], eax; sub rsp, -8; add rsp, 4096; ret */
    {"frame half left", VERIFY_RETURN, 16, {0xff}, 0, "\x48\x83\xec\x10\x48\x83\xc4\x08\xc3", 9},
        /* sub rsp, 16; add rsp, 8; ret */
    {"frame not left", VERIFY_RETURN, 8, {0xff}, 0, "\x48\x83\xec\x08\xc3", 5},
        /* sub rsp, 8; ret */
    {"saved register not restored", VERIFY_RETURN, 8, {0xff}, 0, "\x53\xc3", 2},
        /* push rbx; ret */
    {"restored in the wrong order", VERIFY_RETURN, 16, {0xff}, 0, "\x53\x55\x5b\x5d\xc3", 5},
        /* push rbx; push rbp; pop rbx; pop rbp; ret */
    {"a callee-saved register unsaved", VERIFY_SAVED, 0, {0xff}, 0, "\x89\xfb\xc3", 3},
        /* mov ebx, edi; ret */
    {"memory base written", VERIFY_PINNED, 0, {0xff}, 0, "\x49\x89\xff\xc3", 4},
        /* mov r15, rdi; ret */
    {"context written", VERIFY_PINNED, 0, {0xff}, 0, "\x45\x33\xf6\xc3", 4},
        /* xor r14d, r14d; ret */
    {"context loaded from itself", VERIFY_PINNED, 0, {0xff}, 0, "\x4d\x8b\x76\x20\xc3", 5},
        /* mov r14, [r14 + 32]; ret */
    {"rsp moved", VERIFY_PINNED, 0, {0xff}, 0, "\x48\x89\xfc\xc3", 4},
        /* mov rsp, rdi; ret */
    {"rsp aligned", VERIFY_PINNED, 0, {0xff}, 0, "\x48\x83\xe4\xf0\xc3", 5},
        /* and rsp, -16; ret */
    {"the base as a value", VERIFY_PINNED, 0, {0xff}, 0, "\x4c\x89\xf8\xc3", 4},
        /* mov rax, r15; ret */
    {"the base in a sum", VERIFY_PINNED, 0, {0xff}, 0, "\x49\x8d\x04\x3f\xc3", 5},
        /* lea rax, [r15 + rdi]; ret */
    {"context field: builtins", VERIFY_CONTEXT, 0, {0xff}, 0, "\x49\x8b\x46\x30\xc3", 5},
        /* mov rax, [r14 + 48]; ret */
    {"context field: instance", VERIFY_CONTEXT, 0, {0xff}, 0, "\x49\x8b\x46\x28\xc3", 5},
        /* mov rax, [r14 + 40]; ret */
    {"context field: an import's code", VERIFY_CONTEXT, 0, {0xff}, 0, "\x49\x8b\x86\x01\x00\x00\x7a\xc3", 8},
        /* mov rax, [r14 + IMPORTS]; ret */
    {"context field: memory's base stored", VERIFY_CONTEXT, 0, {0xff}, 0, "\x49\x89\x3e\xc3", 4},
        /* mov [r14], rdi; ret */
    {"context field: memory's size stored", VERIFY_CONTEXT, 0, {0xff}, 0, "\x49\x89\x7e\x08\xc3", 5},
        /* mov [r14 + 8], rdi; ret */
    {"context by an index", VERIFY_CONTEXT, 0, {0xff}, 0, "\x89\xf8\x49\x8b\x04\x06\xc3", 7},
        /* mov eax, edi; mov rax, [r14 + rax]; ret */
    {"global in place", OK, 0, {0xff}, 0, "\x49\x89\xbe\x00\x01\x00\x7a\x49\x8b\x86\x00\x01\x00\x7a\xc3", 15},
        /* mov [r14 + GLOBAL0], rdi; mov rax, [r14 + GLOBAL0]; ret */
    {"global beyond its slot", VERIFY_CONTEXT, 0, {0xff}, 0, "\x49\x89\xbe\x0c\x01\x00\x7a\xc3", 8},
        /* mov [r14 + GLOBAL0 + 12], rdi; ret */
    {"immutable global stored", VERIFY_CONTEXT, 0, {0xff}, 0, "\x49\x89\xbe\x00\x02\x00\x7a\xc3", 8},
        /* mov [r14 + GLOBAL1], rdi; ret */
    {"immutable global read", OK, 0, {0xff}, 0, "\x49\x8b\x86\x00\x02\x00\x7a\xc3", 8},
        /* mov rax, [r14 + GLOBAL1]; ret */
    {"global beyond the last", VERIFY_CONTEXT, 0, {0xff}, 0, "\x49\x8b\x86\x10\x03\x00\x7a\xc3", 8},
        /* mov rax, [r14 + GLOBAL2 + 16]; ret */
    {"cell", OK, 0, {0xff}, 0, "\x4d\x8b\x9e\x00\x03\x00\x7a\x49\x89\x3b\xc3", 11},
        /* mov r11, [r14 + GLOBAL2]; mov [r11], rdi; ret */
    {"cell's pointer stored", VERIFY_CONTEXT, 0, {0xff}, 0, "\x49\x89\xbe\x00\x03\x00\x7a\xc3", 8},
        /* mov [r14 + GLOBAL2], rdi; ret */
    {"beyond the cell", VERIFY_POINTER, 0, {0xff}, 0, "\x4d\x8b\x9e\x00\x03\x00\x7a\x49\x89\x7b\x10\xc3", 12},
        /* mov r11, [r14 + GLOBAL2]; mov [r11 + 16], rdi; ret */
    {"before the cell", VERIFY_POINTER, 0, {0xff}, 0, "\x4d\x8b\x9e\x00\x03\x00\x7a\x49\x89\x7b\xf8\xc3", 12},
        /* mov r11, [r14 + GLOBAL2]; mov [r11 - 8], rdi; ret */
    {"a forged pointer", VERIFY_POINTER, 0, {0xff}, 0, "\x49\x89\xfb\x49\x89\x3b\xc3", 7},
        /* mov r11, rdi; mov [r11], rdi; ret */
    {"a pointer moved", VERIFY_POINTER, 0, {0xff}, 0, "\x4d\x8b\x9e\x00\x03\x00\x7a\x49\x83\xc3\x08\x49\x89\x3b\xc3", 15},
        /* mov r11, [r14 + GLOBAL2]; add r11, 8; mov [r11], rdi; ret */
    {"a pointer over a call", VERIFY_POINTER, 8, {0xff}, 0, "\x48\x83\xec\x08\x4d\x8b\x9e\x00\x03\x00\x7a\xe8\x00\x00\x00\x7b\x49\x89\x3b\x48\x83\xc4\x08\xc3", 24},
        /* sub rsp, 8; mov r11, [r14 + GLOBAL2]; call SELF; mov [r11], rdi; add rsp, 8; ret */
    {"absolute address", VERIFY_POINTER, 0, {0xff}, 0, "\x8b\x04\x25\x00\x10\x00\x00\xc3", 8},
        /* mov eax, ds:[0x1000]; ret */
    {"overflow slot", OK, 0, {0xff}, 0, "\x4d\x8b\x5e\x20\x49\x89\xbb\x00\x00\x01\x7a\xc3", 12},
        /* mov r11, [r14 + 32]; mov [r11 + OVERFLOW], rdi; ret */
    {"store's pending", VERIFY_POINTER, 0, {0xff}, 0, "\x4d\x8b\x5e\x20\x41\x89\x7b\x18\xc3", 9},
        /* mov r11, [r14 + 32]; mov [r11 + 24], edi; ret */
    {"store's trap_sp", VERIFY_POINTER, 0, {0xff}, 0, "\x4d\x8b\x5e\x20\x49\x8b\x03\xc3", 8},
        /* mov r11, [r14 + 32]; mov rax, [r11]; ret */
    {"beyond the overflow slots", VERIFY_POINTER, 0, {0xff}, 0, "\x4d\x8b\x5e\x20\x49\x89\xbb\x80\x3e\x01\x7a\xc3", 12},
        /* mov r11, [r14 + 32]; mov [r11 + OVERFLOW + 16000], rdi; ret */
    {"table's length", OK, 0, {0xff}, 0, "\x4d\x8b\x9e\x00\x05\x00\x7a\x41\x8b\x43\x08\xc3", 12},
        /* mov r11, [r14 + TABLE]; mov eax, [r11 + 8]; ret */
    {"table's entries", VERIFY_POINTER, 0, {0xff}, 0, "\x4d\x8b\x9e\x00\x05\x00\x7a\x49\x8b\x03\xc3", 11},
        /* mov r11, [r14 + TABLE]; mov rax, [r11]; ret */
    {"table's length stored", VERIFY_POINTER, 0, {0xff}, 0, "\x4d\x8b\x9e\x00\x05\x00\x7a\x41\x89\x7b\x08\xc3", 12},
        /* mov r11, [r14 + TABLE]; mov [r11 + 8], edi; ret */
    {"second memory, guarded", OK, 0, {10, 0xff}, 1, "\x41\x89\xfb\x4d\x03\x9e\x00\x06\x00\x7a\x41\x8b\x43\x10\xc3", 15},
        /* mov r11d, edi; add r11, [r14 + BASE1]; mov eax, [r11 + 16]; ret */
    {"second memory, index dirty", VERIFY_MEMORY, 0, {10, 0xff}, 1, "\x49\x89\xfb\x4d\x03\x9e\x00\x06\x00\x7a\x41\x8b\x43\x10\xc3", 15},
        /* mov r11, rdi; add r11, [r14 + BASE1]; mov eax, [r11 + 16]; ret */
    {"second memory, added twice", VERIFY_MEMORY, 0, {17, 0xff}, 1, "\x41\x89\xfb\x4d\x03\x9e\x00\x06\x00\x7a\x4d\x03\x9e\x00\x06\x00\x7a\x41\x8b\x03\xc3", 21},
        /* mov r11d, edi; add r11, [r14 + BASE1]; add r11, [r14 + BASE1]; mov eax, [r11]; ret */
    {"second memory through the first's base", OK, 0, {2, 0xff}, 1, "\x89\xf8\x41\x8b\x04\x07\xc3", 7},
        /* mov eax, edi; mov eax, [r15 + rax]; ret */
    {"exact check", OK, 0, {0xff}, 0, "\x49\x89\xfb\x41\xbb\x18\x00\x00\x00\x4c\x03\xdf\x72\x15\x4d\x3b\x9e\x00\x08\x00\x7a\x77\x0c\x4d\x03\x9e\x00\x07\x00\x7a\x49\x8b\x43\xf8\xc3\xc3", 36},
        /* mov r11, rdi; mov r11d, 24; add r11, rdi; jc 1f; cmp r11, [r14 + BYTES2]; ja 1f; add r11, [r14 + BASE2]; mov rax, [r11 - 8]; ret; 1: ret */
    {"exact check without the carry", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\xbb\x18\x00\x00\x00\x4c\x03\xdf\x4d\x3b\x9e\x00\x08\x00\x7a\x77\x0c\x4d\x03\x9e\x00\x07\x00\x7a\x49\x8b\x43\xf8\xc3\xc3", 31},
        /* mov r11d, 24; add r11, rdi; cmp r11, [r14 + BYTES2]; ja 1f; add r11, [r14 + BASE2]; mov rax, [r11 - 8]; ret; 1: ret */
    {"exact check of less than is accessed", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\xbb\x18\x00\x00\x00\x4c\x03\xdf\x72\x15\x4d\x3b\x9e\x00\x08\x00\x7a\x77\x0c\x4d\x03\x9e\x00\x07\x00\x7a\x49\x8b\x43\xfc\xc3\xc3", 33},
        /* mov r11d, 24; add r11, rdi; jc 1f; cmp r11, [r14 + BYTES2]; ja 1f; add r11, [r14 + BASE2]; mov rax, [r11 - 4]; ret; 1: ret */
    {"exact check of more than was added", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\xbb\x04\x00\x00\x00\x4c\x03\xdf\x72\x15\x4d\x3b\x9e\x00\x08\x00\x7a\x77\x0c\x4d\x03\x9e\x00\x07\x00\x7a\x49\x8b\x43\xf8\xc3\xc3", 33},
        /* mov r11d, 4; add r11, rdi; jc 1f; cmp r11, [r14 + BYTES2]; ja 1f; add r11, [r14 + BASE2]; mov rax, [r11 - 8]; ret; 1: ret */
    {"exact check, the largest displacement", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\xbb\x18\x00\x00\x00\x4c\x03\xdf\x72\x18\x4d\x3b\x9e\x00\x08\x00\x7a\x77\x0f\x4d\x03\x9e\x00\x07\x00\x7a\x49\x8b\x83\xff\xff\xff\x7f\xc3\xc3", 36},
        /* mov r11d, 24; add r11, rdi; jc 1f; cmp r11, [r14 + BYTES2]; ja 1f; add r11, [r14 + BASE2]; mov rax, [r11 + 0x7fffffff]; ret; 1: ret */
    {"exact check of another memory", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\xbb\x18\x00\x00\x00\x4c\x03\xdf\x72\x15\x4d\x3b\x9e\x00\x08\x00\x7a\x77\x0c\x4d\x03\x9e\x00\x06\x00\x7a\x49\x8b\x43\xf8\xc3\xc3", 33},
        /* mov r11d, 24; add r11, rdi; jc 1f; cmp r11, [r14 + BYTES2]; ja 1f; add r11, [r14 + BASE1]; mov rax, [r11 - 8]; ret; 1: ret */
    {"exact check by the wrong condition", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\xbb\x18\x00\x00\x00\x4c\x03\xdf\x72\x15\x4d\x3b\x9e\x00\x08\x00\x7a\x73\x0c\x4d\x03\x9e\x00\x07\x00\x7a\x49\x8b\x43\xf8\xc3\xc3", 33},
        /* mov r11d, 24; add r11, rdi; jc 1f; cmp r11, [r14 + BYTES2]; jae 1f; add r11, [r14 + BASE2]; mov rax, [r11 - 8]; ret; 1: ret */
    {"exact check jumped over", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\xbb\x18\x00\x00\x00\x4c\x03\xdf\x72\x19\x85\xf6\x74\x09\x4d\x3b\x9e\x00\x08\x00\x7a\x77\x0c\x4d\x03\x9e\x00\x07\x00\x7a\x49\x8b\x43\xf8\xc3\xc3", 37},
        /* mov r11d, 24; add r11, rdi; jc 1f; test esi, esi; je 2f; cmp r11, [r14 + BYTES2]; ja 1f; 2: add r11, [r14 + BASE2]; mov rax, [r11 - 8]; ret; 1: ret */
    {"a jump into an instruction", VERIFY_BRANCH, 0, {0xff}, 0, "\x85\xff\x74\x01\xb8\x90\x90\x90\xc3\xc3", 10},
        /* test edi, edi; je 1f + 1; 1: mov eax, 0xc3909090; ret */
    {"a jump out of the function", VERIFY_BRANCH, 0, {0xff}, 0, "\x85\xff\x74\x40\xc3", 5},
        /* test edi, edi; je 1f + 64; 1: ret */
    {"a jump back to no point", VERIFY_BRANCH, 0, {0xff}, 0, "\xff\xcf\x75\xfc\xc3", 5},
        /* 1: dec edi; jne 1b; ret */
    {"a clean register, on one way only", VERIFY_MEMORY, 0, {8, 0xff}, 1, "\x48\x89\xf8\x85\xf6\x74\x02\x89\xf8\x41\x8b\x04\x07\xc3", 14},
        /* mov rax, rdi; test esi, esi; je 1f; mov eax, edi; 1: mov eax, [r15 + rax]; ret */
    {"clean on both ways", OK, 0, {10, 0xff}, 1, "\x89\xf8\x85\xf6\x74\x04\x89\xf0\x90\x90\x41\x8b\x04\x07\xc3", 15},
        /* mov eax, edi; test esi, esi; je 1f; mov eax, esi; nop; nop; 1: mov eax, [r15 + rax]; ret */
    {"a call into a function", VERIFY_CALL, 8, {0xff}, 0, "\x48\x83\xec\x08\xe8\x04\x00\x00\x7b\x48\x83\xc4\x08\xc3", 14},
        /* sub rsp, 8; call SELF + 4; add rsp, 8; ret */
    {"a call into the glue", VERIFY_GLUE, 8, {0xff}, 0, "\x48\x83\xec\x08\xe8\x00\x01\x00\x7b\x48\x83\xc4\x08\xc3", 14},
        /* sub rsp, 8; call GLUE1; add rsp, 8; ret */
    {"a call out of the module", VERIFY_CALL, 8, {0xff}, 0, "\x48\x83\xec\x08\xe8\x00\x02\x00\x7b\x48\x83\xc4\x08\xc3", 14},
        /* sub rsp, 8; call FAR; add rsp, 8; ret */
    {"what is pending", OK, 8, {0xff}, 0, "\x48\x83\xec\x08\xe8\x00\x03\x00\x7b\x48\x83\xc4\x08\xc3", 14},
        /* sub rsp, 8; call PENDING; add rsp, 8; ret */
    {"an import", OK, 8, {0xff}, 0, "\x48\x83\xec\x08\xe8\x00\x04\x00\x7b\x48\x83\xc4\x08\xc3", 14},
        /* sub rsp, 8; call IMPORT; add rsp, 8; ret */
    {"a jump to an import's call stub", VERIFY_CALL, 0, {0xff}, 0, "\xe9\x00\x04\x00\x7b", 5},
        /* jmp IMPORT */
    {"an import as C", OK, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* mov r11, STORE; cmp rsp, LIMIT; jb STACK; mov rdi, r14; call DIRECT; mov r11, STORE; cmp dword PENDING, 0; jne 1f; add rsp, 8; ret; 1: call PENDING; ud2 */
    {"a builtin as C", OK, 8, {46, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x56\x30\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 48},
        /* the same, call [r14 + builtins] */
    {"in front of the context as C", VERIFY_CALL, 8, {46, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x56\xb0\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 48},
        /* call [r14 - 80]: a displacement of eight bits has a sign */
    {"the unwinder as C", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\xc0\x00\x00\x00\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* call [r14 + builtins + 8 * unwind] */
    {"behind the builtins", VERIFY_CALL, 8, {46, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x56\x28\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 48},
        /* call [r14 + instance] */
    {"an import of many arguments as C", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x08\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* call DIRECT + 8: it has no adaptor */
    {"an import that is not there as C", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x10\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* call DIRECT + 16 */
    {"half an import as C", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x04\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* call DIRECT + 4 */
    {"an import's pair as C", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x00\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* call [r14 + imports] */
    {"C without headroom", VERIFY_PINNED, 8, {39, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 41},
        /* no cmp, no jb */
    {"C with headroom below the limit's half", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x41\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* cmp esp, dword LIMIT */
    {"C with a limit elsewhere", VERIFY_CALL, 8, {50, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x64\x0b\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 52},
        /* an import as C, but cmp rsp, [r11 + rcx + STACK_LIMIT] */
    {"C with another limit", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x08\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* cmp rsp, [r11 + entry_sp] */
    {"C with headroom asked the other way round", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x83\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* jae STACK */
    {"C without headroom into a call stub", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x04\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* jb IMPORT */
    {"C without headroom into the function", VERIFY_CALL, 8, {45, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x72\x00\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 47},
        /* jb: the next instruction */
    {"C with a forged context", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x48\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* mov rdi, rsi */
    {"C without a context", VERIFY_CALL, 8, {46, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 48},
        /* no mov */
    {"a jump to C", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\xa6\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* jmp DIRECT */
    {"C, nobody asks what is pending", VERIFY_CALL, 8, {38, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 40},
        /* no cmp behind the call */
    {"C, half of what is pending", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x80\x7b\x18\x00\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* cmp byte PENDING, 0 */
    {"C, another is pending", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x01\x75\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* cmp dword PENDING, 1 */
    {"C, what is pending the other way round", VERIFY_CALL, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x74\x05\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* je */
    {"C with the stack misaligned", VERIFY_ALIGN, 16, {49, 0xff}, 1, "\x48\x83\xec\x10\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x05\x48\x83\xc4\x10\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* sub rsp, 16 */
    {"C, then a jump into an instruction", VERIFY_BRANCH, 8, {49, 0xff}, 1, "\x48\x83\xec\x08\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x06\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 51},
        /* jne 1f + 1 */
    {"stale after C", VERIFY_MEMORY, 8, {41, 55, 0xff}, 2, "\x48\x83\xec\x08\x89\xf8\x4d\x8b\x5e\x20\x49\x3b\x63\x10\x0f\x82\x00\x05\x00\x7b\x49\x8b\xfe\x41\xff\x96\x00\x0c\x00\x7a\x4d\x8b\x5e\x20\x41\x83\x7b\x18\x00\x75\x09\x41\x8b\x04\x07\x48\x83\xc4\x08\xc3\xe8\x00\x03\x00\x7b\x0f\x0b", 57},
        /* mov eax, edi; (as above); mov eax, [r15 + rax]; add rsp, 8; ret; 1: ... */
    {"a call with the stack misaligned", VERIFY_ALIGN, 16, {0xff}, 0, "\x48\x83\xec\x10\xe8\x00\x00\x00\x7b\x48\x83\xc4\x10\xc3", 14},
        /* sub rsp, 16; call SELF; add rsp, 16; ret */
    {"a tail call over a frame", VERIFY_RETURN, 8, {0xff}, 0, "\x48\x83\xec\x08\xe9\x00\x00\x00\x7b", 9},
        /* sub rsp, 8; jmp SELF */
    {"a tail call", OK, 8, {0xff}, 0, "\x48\x83\xec\x08\x48\x83\xc4\x08\xe9\x00\x00\x00\x7b", 13},
        /* sub rsp, 8; add rsp, 8; jmp SELF */
    {"call rax", VERIFY_INDIRECT, 8, {0xff}, 0, "\x48\x83\xec\x08\xff\xd0\x48\x83\xc4\x08\xc3", 11},
        /* sub rsp, 8; call rax; add rsp, 8; ret */
    {"jmp rax", VERIFY_INDIRECT, 0, {0xff}, 0, "\xff\xe0", 2},
        /* jmp rax */
    {"call through memory", VERIFY_INDIRECT, 8, {0xff}, 0, "\x48\x83\xec\x08\x41\xff\x56\x28\x48\x83\xc4\x08\xc3", 13},
        /* sub rsp, 8; call [r14 + 40]; add rsp, 8; ret */
    {"call_indirect", OK, 8, {60, 0xff}, 1, "\x48\x83\xec\x08\x89\xf8\x4d\x8b\x9e\x00\x05\x00\x7a\x49\x3b\x43\x08\x73\x29\x4d\x1b\xd2\x49\x23\xc2\x48\xc1\xe0\x04\x49\x03\x03\x4c\x8b\x50\x08\x48\x8b\x00\x81\x78\xfc\x40\x42\x0f\x00\x75\x0c\x4d\x3b\xd6\x75\x07\xff\xd0\x48\x83\xc4\x08\xc3\x0f\x0b", 62},
        /* sub rsp, 8; mov eax, edi; mov r11, [r14 + TABLE]; cmp rax, [r11 + 8]; jae 1f; sbb r10, r10; and rax, r10; shl rax, 4; add rax, [r11]; mov r10, [rax + 8]; mov rax, [rax]; cmp dword ptr [rax - 4], 1000000; jne 1f; cmp r10, r14; jne 1f; call rax; add rsp, 8; ret; 1: ud2 */
    {"call_indirect, its bounds elsewhere", VERIFY_INDIRECT, 8, {61, 0xff}, 1, "\x48\x83\xec\x08\x89\xf8\x4d\x8b\x9e\x00\x05\x00\x7a\x49\x3b\x44\x0b\x08\x73\x29\x4d\x1b\xd2\x49\x23\xc2\x48\xc1\xe0\x04\x49\x03\x03\x4c\x8b\x50\x08\x48\x8b\x00\x81\x78\xfc\x40\x42\x0f\x00\x75\x0c\x4d\x3b\xd6\x75\x07\xff\xd0\x48\x83\xc4\x08\xc3\x0f\x0b", 63},
        /* the same, but cmp rax, [r11 + rcx + LEN] */
    {"call_indirect without its bounds", VERIFY_POINTER, 8, {0xff}, 0, "\x48\x83\xec\x08\x89\xf8\x4d\x8b\x9e\x00\x05\x00\x7a\x4d\x1b\xd2\x49\x23\xc2\x48\xc1\xe0\x04\x49\x03\x03\x4c\x8b\x50\x08\xff\xd0\x48\x83\xc4\x08\xc3", 37},
        /* sub rsp, 8; mov eax, edi; mov r11, [r14 + TABLE]; sbb r10, r10; and rax, r10; shl rax, 4; add rax, [r11]; mov r10, [rax + 8]; call rax; add rsp, 8; ret */
    {"call_indirect without its type", VERIFY_INDIRECT, 8, {51, 0xff}, 1, "\x48\x83\xec\x08\x89\xf8\x4d\x8b\x9e\x00\x05\x00\x7a\x49\x3b\x43\x08\x73\x20\x4d\x1b\xd2\x49\x23\xc2\x48\xc1\xe0\x04\x49\x03\x03\x4c\x8b\x50\x08\x48\x8b\x00\x4d\x3b\xd6\x75\x07\xff\xd0\x48\x83\xc4\x08\xc3\x0f\x0b", 53},
        /* sub rsp, 8; mov eax, edi; mov r11, [r14 + TABLE]; cmp rax, [r11 + 8]; jae 1f; sbb r10, r10; and rax, r10; shl rax, 4; add rax, [r11]; mov r10, [rax + 8]; mov rax, [rax]; cmp r10, r14; jne 1f; call rax; add rsp, 8; ret; 1: ud2 */
    {"call_indirect of type 0", VERIFY_INDIRECT, 8, {60, 0xff}, 1, "\x48\x83\xec\x08\x89\xf8\x4d\x8b\x9e\x00\x05\x00\x7a\x49\x3b\x43\x08\x73\x29\x4d\x1b\xd2\x49\x23\xc2\x48\xc1\xe0\x04\x49\x03\x03\x4c\x8b\x50\x08\x48\x8b\x00\x81\x78\xfc\x00\x00\x00\x00\x75\x0c\x4d\x3b\xd6\x75\x07\xff\xd0\x48\x83\xc4\x08\xc3\x0f\x0b", 62},
        /* sub rsp, 8; mov eax, edi; mov r11, [r14 + TABLE]; cmp rax, [r11 + 8]; jae 1f; sbb r10, r10; and rax, r10; shl rax, 4; add rax, [r11]; mov r10, [rax + 8]; mov rax, [rax]; cmp dword ptr [rax - 4], ZERO; jne 1f; cmp r10, r14; jne 1f; call rax; add rsp, 8; ret; 1: ud2 */
    {"call_indirect of another register since", VERIFY_INDIRECT, 8, {63, 0xff}, 1, "\x48\x83\xec\x08\x89\xf8\x4d\x8b\x9e\x00\x05\x00\x7a\x49\x3b\x43\x08\x73\x2c\x4d\x1b\xd2\x49\x23\xc2\x48\xc1\xe0\x04\x49\x03\x03\x4c\x8b\x50\x08\x48\x8b\x00\x81\x78\xfc\x40\x42\x0f\x00\x75\x0f\x4d\x3b\xd6\x75\x0a\x48\x89\xf8\xff\xd0\x48\x83\xc4\x08\xc3\x0f\x0b", 65},
        /* sub rsp, 8; mov eax, edi; mov r11, [r14 + TABLE]; cmp rax, [r11 + 8]; jae 1f; sbb r10, r10; and rax, r10; shl rax, 4; add rax, [r11]; mov r10, [rax + 8]; mov rax, [rax]; cmp dword ptr [rax - 4], 1000000; jne 1f; cmp r10, r14; jne 1f; mov rax, rdi; call rax; add rsp, 8; ret; 1: ud2 */
    {"switch without its bound", VERIFY_INDIRECT, 0, {0xff}, 0, "\x89\xf8\x4c\x8d\x1d\x00\x0a\x00\x7a\x49\x63\x04\x83\x49\x01\xc3\x41\xff\xe3", 19},
        /* mov eax, edi; lea r11, [rip + DATA]; movsxd rax, dword ptr [r11 + rax * 4]; add r11, rax; jmp r11 */
    {"division by what may be zero", VERIFY_DIVIDE, 0, {0xff}, 0, "\x89\xf8\x33\xd2\xf7\xf6\xc3", 7},
        /* mov eax, edi; xor edx, edx; div esi; ret */
    {"division, tested", OK, 0, {11, 0xff}, 1, "\x89\xf8\x85\xf6\x74\x05\x33\xd2\xf7\xf6\xc3\x0f\x0b", 13},
        /* mov eax, edi; test esi, esi; je 1f; xor edx, edx; div esi; ret; 1: ud2 */
    {"division, another register tested", VERIFY_DIVIDE, 0, {11, 0xff}, 1, "\x89\xf8\x85\xc9\x74\x05\x33\xd2\xf7\xf6\xc3\x0f\x0b", 13},
        /* mov eax, edi; test ecx, ecx; je 1f; xor edx, edx; div esi; ret; 1: ud2 */
    {"division with rdx set", VERIFY_DIVIDE, 0, {14, 0xff}, 1, "\x89\xf8\x85\xf6\x74\x08\xba\x01\x00\x00\x00\xf7\xf6\xc3\x0f\x0b", 16},
        /* mov eax, edi; test esi, esi; je 1f; mov edx, 1; div esi; ret; 1: ud2 */
    {"signed division, -1 forgotten", VERIFY_DIVIDE, 0, {10, 0xff}, 1, "\x89\xf8\x85\xf6\x74\x04\x99\xf7\xfe\xc3\x0f\x0b", 12},
        /* mov eax, edi; test esi, esi; je 1f; cdq; idiv esi; ret; 1: ud2 */
    {"signed division", OK, 0, {20, 0xff}, 1, "\x89\xf8\x85\xf6\x74\x0e\x83\xfe\xff\x75\x05\x83\xf8\x01\x70\x04\x99\xf7\xfe\xc3\x0f\x0b", 22},
        /* mov eax, edi; test esi, esi; je 1f; cmp esi, -1; jne 2f; cmp eax, 1; jo 1f; 2: cdq; idiv esi; ret; 1: ud2 */
    {"signed division by 0, asked twice whether it is -1", VERIFY_DIVIDE, 0, {31, 0xff}, 1, "\x89\xf8\xbe\x00\x00\x00\x00\x83\xfe\xff\x75\x05\x83\xf8\x01\x70\x0e\x83\xfe\xff\x75\x05\x83\xf8\x01\x70\x04\x99\xf7\xfe\xc3\x0f\x0b", 33},
        /* mov eax, edi; mov esi, 0; cmp esi, -1; jne 2f; cmp eax, 1; jo 1f; 2: cmp esi, -1; jne 3f; cmp eax, 1; jo 1f; 3: cdq; idiv esi; ret; 1: ud2 */
    {"signed division, only tested narrow", VERIFY_DIVIDE, 0, {23, 0xff}, 1, "\x48\x89\xf8\x85\xf6\x74\x10\x83\xfe\xff\x75\x05\x83\xf8\x01\x70\x06\x48\x99\x48\xf7\xfe\xc3\x0f\x0b", 25},
        /* mov rax, rdi; test esi, esi; je 1f; cmp esi, -1; jne 2f; cmp eax, 1; jo 1f; 2: cqo; idiv rsi; ret; 1: ud2 */
    {"constant read", OK, 0, {0xff}, 0, "\x8b\x05\x00\x0a\x00\x7a\xc3", 7},
        /* mov eax, [rip + DATA]; ret */
    {"constant written", VERIFY_DATA, 0, {0xff}, 0, "\x89\x05\x00\x0a\x00\x7a\xc3", 7},
        /* mov [rip + DATA], eax; ret */
    {"code read", VERIFY_DATA, 0, {0xff}, 0, "\x8b\x05\xfb\xff\xff\xff\xc3", 7},
        /* mov eax, [rip - 5]; ret */
    {"behind the data", VERIFY_DATA, 0, {0xff}, 0, "\x48\x8b\x05\x00\x0b\x00\x7a\xc3", 8},
        /* mov rax, [rip + DATAEND]; ret */
    {"off the end", VERIFY_END, 0, {0xff}, 0, "\x89\xf8", 2},
        /* mov eax, edi */
    {"off the end, in part", VERIFY_END, 0, {0xff}, 0, "\xb8\x01\x02", 3},
        /* .byte 0xb8, 1, 2 */
    {"what the processor lacks", VERIFY_ENCODING, 0, {0xff}, 0, "\xf3\x0f\xb8\xc7\xc3", 5},
        /* popcnt eax, edi; ret */
    {"shift by a register", OK, 0, {0xff}, 0, "\xc4\xe2\xf1\xf7\xc7\xc3", 6},
        /* shlx rax, rdi, rcx; ret */
    {"shift by the base", VERIFY_PINNED, 0, {0xff}, 0, "\xc4\xe2\x01\xf7\xc7\xc3", 6},
        /* shlx eax, edi, r15d; ret */
    {"shift into the context", VERIFY_PINNED, 0, {0xff}, 0, "\xc4\x62\x71\xf7\xf7\xc3", 6},
        /* shlx r14d, edi, ecx; ret */
    {"shift of 32 bits as an index", OK, 0, {5, 0xff}, 1, "\xc4\xe2\x71\xf7\xc7\x41\x8b\x04\x07\xc3", 10},
        /* shlx eax, edi, ecx; mov eax, [r15 + rax]; ret */
    {"shift of 64 bits as an index", VERIFY_MEMORY, 0, {5, 0xff}, 1, "\xc4\xe2\xf1\xf7\xc7\x41\x8b\x04\x07\xc3", 10},
        /* shlx rax, rdi, rcx; mov eax, [r15 + rax]; ret */
    {"shift of what is in memory", OK, 0, {2, 0xff}, 1, "\x89\xf8\xc4\xc2\xf3\xf7\x04\x07\xc3", 9},
        /* mov eax, edi; shrx rax, [r15 + rax], rcx; ret */
    {"shift of what is in memory, index dirty", VERIFY_MEMORY, 0, {0, 0xff}, 1, "\xc4\xc2\xf3\xf7\x04\x3f\xc3", 7},
        /* shrx rax, [r15 + rdi], rcx; ret */
    {"shift with L", VERIFY_ENCODING, 0, {0xff}, 0, "\xc4\xe2\x75\xf7\xc7\xc3", 6},
        /* shlx with VEX.L; ret */
    {"shift without VEX", VERIFY_ENCODING, 0, {0xff}, 0, "\x66\x0f\x38\xf7\xc7\xc3", 6},
        /* shlx's opcode behind 66; ret */
    {"rotation to another register", OK, 0, {0xff}, 0, "\xc4\xe3\x7b\xf0\xc7\x05\xc3", 7},
        /* rorx eax, edi, 5; ret */
    {"rotation with a second register", VERIFY_ENCODING, 0, {0xff}, 0, "\xc4\xe3\x73\xf0\xc7\x05\xc3", 7},
        /* rorx with VEX.vvvv; ret */
    {"and of what is inverted", OK, 0, {0xff}, 0, "\xc4\xe2\x70\xf2\xc7\xc3", 6},
        /* andn eax, ecx, edi; ret */
    {"and of the inverted base", VERIFY_PINNED, 0, {0xff}, 0, "\xc4\xe2\x00\xf2\xc7\xc3", 6},
        /* andn eax, r15d, edi; ret */
    {"VEX that has no row", VERIFY_ENCODING, 0, {0xff}, 0, "\xc4\xe2\x70\xf5\xc7\xc3", 6},
        /* bzhi eax, edi, ecx; ret */
    {"vector, unaligned in memory", OK, 0, {2, 0xff}, 1, "\x89\xf8\xc4\xc1\x69\xfe\x04\x07\xc3", 9},
        /* mov eax, edi; vpaddd xmm0, xmm2, [r15 + rax]; ret */
    {"vector in memory, index dirty", VERIFY_MEMORY, 0, {0, 0xff}, 1, "\xc4\xc1\x69\xfe\x04\x3f\xc3", 7},
        /* vpaddd xmm0, xmm2, [r15 + rdi]; ret */
    {"vector in a slot, unaligned", OK, 24, {0xff}, 0, "\x48\x83\xec\x18\xc5\xe9\xfe\x44\x24\x08\x48\x83\xc4\x18\xc3", 15},
        /* sub rsp, 24; vpaddd xmm0, xmm2, [rsp + 8]; add rsp, 24; ret */
    {"vector beyond the slots", VERIFY_FRAME, 24, {0xff}, 0, "\x48\x83\xec\x18\xc5\xe9\xfe\x44\x24\x10\x48\x83\xc4\x18\xc3", 15},
        /* sub rsp, 24; vpaddd xmm0, xmm2, [rsp + 16]; add rsp, 24; ret */
    {"vmovaps of memory", VERIFY_MEMORY, 0, {2, 0xff}, 1, "\x89\xf8\xc4\xc1\x78\x28\x04\x07\xc3", 9},
        /* mov eax, edi; vmovaps xmm0, [r15 + rax]; ret */
    {"vector of 32 bytes", VERIFY_ENCODING, 0, {0xff}, 0, "\xc5\xed\xfe\xc1\xc3", 5},
        /* vpaddd ymm0, ymm2, ymm1; ret */
    {"VEX.W that says nothing", VERIFY_ENCODING, 0, {0xff}, 0, "\xc4\xe1\xe9\xfe\xc1\xc3", 6},
        /* vpaddd xmm0, xmm2, xmm1 with W; ret */
    {"second register where there is none", VERIFY_ENCODING, 0, {0xff}, 0, "\xc5\xe9\x70\xc1\x05\xc3", 6},
        /* vpshufd with VEX.vvvv; ret */
    {"shift of a vector, to another", OK, 0, {0xff}, 0, "\xc5\xe9\x72\xf1\x05\xc3", 6},
        /* vpslld xmm2, xmm1, 5; ret */
    {"float from the base", VERIFY_PINNED, 0, {0xff}, 0, "\xc4\xc1\xeb\x2a\xc7\xc3", 6},
        /* vcvtsi2sd xmm0, xmm2, r15; ret */
    {"VEX of integers", VERIFY_ENCODING, 0, {0xff}, 0, "\xc5\xf8\xaf\xc1\xc3", 5},
        /* imul's opcode with VEX; ret */
    {"66 before VEX", VERIFY_ENCODING, 0, {0xff}, 0, "\x66\xc5\xe9\xfe\xc1\xc3", 6},
        /* 66; vpaddd xmm0, xmm2, xmm1; ret */
    {"REX before VEX", VERIFY_ENCODING, 0, {0xff}, 0, "\x40\xc4\xe1\x69\xfe\xc1\xc3", 7},
        /* REX; vpaddd xmm0, xmm2, xmm1; ret */
    {"lock before VEX", VERIFY_ENCODING, 0, {0xff}, 0, "\xf0\xc4\xe2\x71\xf7\xc7\xc3", 7},
        /* lock; shlx eax, edi, ecx; ret */
    {"shift of a vector in memory", VERIFY_ENCODING, 0, {2, 0xff}, 1, "\x89\xf8\xc4\xc1\x69\x72\x34\x07\x05\xc3", 10},
        /* mov eax, edi; vpslld xmm2, [r15 + rax], 5, which EVEX alone has; ret */
    {"lane to the base", VERIFY_PINNED, 0, {0xff}, 0, "\xc4\xc3\x79\x16\xc7\x00\xc3", 7},
        /* vpextrd r15d, xmm0, 0; ret */
    {"lane to a register that was not saved", VERIFY_SAVED, 0, {0xff}, 0, "\xc4\xe3\x79\x16\xc3\x00\xc3", 7},
        /* vpextrd ebx, xmm0, 0; ret */
    {"lane over the return address", VERIFY_FRAME, 8, {0xff}, 0, "\x48\x83\xec\x08\xc4\xe3\x79\x16\x44\x24\x08\x00\x48\x83\xc4\x08\xc3", 17},
        /* sub rsp, 8; vpextrd [rsp + 8], xmm0, 0; add rsp, 8; ret */
    {"vector to the context", VERIFY_CONTEXT, 0, {0xff}, 0, "\xc4\xc1\x78\x11\x06\xc3", 6},
        /* vmovups [r14], xmm0; ret */
    {"spare slot, clean", OK, 8, {14, 0xff}, 1, "\x48\x83\xec\x08\x89\xf8\x48\x89\x04\x24\x48\x8b\x04\x24\x41\x8b\x04\x07\x48\x83\xc4\x08\xc3", 23},
        /* sub rsp, 8; mov eax, edi; mov [rsp], rax; mov rax, [rsp]; mov eax, [r15 + rax]; add rsp, 8; ret */
    {"spare slot, a float over its upper half", VERIFY_MEMORY, 8, {20, 0xff}, 1, "\x48\x83\xec\x08\x89\xf8\x48\x89\x04\x24\xc5\xfa\x11\x44\x24\x04\x48\x8b\x04\x24\x41\x8b\x04\x07\x48\x83\xc4\x08\xc3", 29},
        /* sub rsp, 8; mov eax, edi; mov [rsp], rax; vmovss [rsp + 4], xmm0; mov rax, [rsp]; mov eax, [r15 + rax]; add rsp, 8; ret */
    {"syscall", VERIFY_ENCODING, 0, {0xff}, 0, "\x0f\x05\xc3", 3},
        /* syscall; ret */
    {"wrmsr", VERIFY_ENCODING, 0, {0xff}, 0, "\x0f\x30\xc3", 3},
        /* wrmsr; ret */
    {"rep movsb", VERIFY_ENCODING, 0, {0xff}, 0, "\xf3\xa4\xc3", 3},
        /* rep movsb; ret */
    {"out", VERIFY_ENCODING, 0, {0xff}, 0, "\xee\xc3", 2},
        /* out dx, al; ret */
    {"cli", VERIFY_ENCODING, 0, {0xff}, 0, "\xfa\xc3", 2},
        /* cli; ret */
    {"segment base", VERIFY_ENCODING, 0, {0xff}, 0, "\x64\x8b\x07\xc3", 4},
        /* mov eax, fs:[rdi]; ret */
    {"mov to cr3", VERIFY_ENCODING, 0, {0xff}, 0, "\x0f\x22\xd8\xc3", 4},
        /* mov cr3, rax; ret */
    {"lgdt", VERIFY_ENCODING, 0, {0xff}, 0, "\x0f\x01\x17\xc3", 4},
        /* lgdt [rdi]; ret */
    {"wrpkru", VERIFY_ENCODING, 0, {0xff}, 0, "\x0f\x01\xef\xc3", 4},
        /* wrpkru; ret */
    {"std", VERIFY_ENCODING, 0, {0xff}, 0, "\xfd\xc3", 2},
        /* std; ret */
    {"int3", VERIFY_ENCODING, 0, {0xff}, 0, "\xcc\xc3", 2},
        /* int3; ret */
    {"far return", VERIFY_ENCODING, 0, {0xff}, 0, "\xcb", 1},
        /* retf */
    {"ret that pops", VERIFY_ENCODING, 0, {0xff}, 0, "\xc2\x08\x00", 3},
        /* ret 8 */
    {"push", VERIFY_ENCODING, 0, {0xff}, 0, "\x33\xc0\x50\xc3", 4},
        /* xor eax, eax; push rax; ret */
    {"pop into a pinned register", VERIFY_RETURN, 0, {0xff}, 0, "\x33\xc0\x41\x5f\xc3", 5},
        /* xor eax, eax; pop r15; ret */
    {"ah for a byte register", VERIFY_ENCODING, 0, {0xff}, 0, "\xb4\x01\xc3", 3},
        /* mov ah, 1; ret */
    {"the glue's mark", VERIFY_ENCODING, 0, {0xff}, 0, "\x0f\x1f\x80\x57\x48\x4c\x4b\xc3", 8},
        /* nop dword ptr [rax + 0x4b4c4857]; ret */
    {"xchg r8, rax as nop", VERIFY_ENCODING, 0, {0xff}, 0, "\x49\x90\xc3", 3},
        /* xchg r8, rax; ret */
    {"lock without memory", VERIFY_ENCODING, 0, {0xff}, 0, "\xf0\x0f\xc1\xc8\xc3", 5},
        /* .byte 0xf0, 0x0f, 0xc1, 0xc8; ret */
    {"mxcsr", VERIFY_ENCODING, 0, {0xff}, 0, "\x0f\xae\x14\x24\xc3", 5},
        /* ldmxcsr [rsp]; ret */
    {"lock on what cannot be locked", VERIFY_ENCODING, 0, {0xff}, 0, "\x89\xf8\xf0\x41\x0f\x94\x04\x07\xc3", 9},
        /* mov eax, edi; .byte 0xf0, 0x41, 0x0f, 0x94, 0x04, 0x07; ret */
    {"lock on a vector's store", VERIFY_ENCODING, 0, {0xff}, 0, "\x89\xf8\xf0\xf3\x41\x0f\x11\x04\x07\xc3", 10},
        /* mov eax, edi; .byte 0xf0, 0xf3, 0x41, 0x0f, 0x11, 0x04, 0x07; ret */
    {"vector load, index clean", OK, 0, {2, 0xff}, 1, "\x89\xf8\x41\x0f\x10\x04\x07\xc3", 8},
        /* mov eax, edi; movups xmm0, [r15 + rax]; ret */
    {"vector load, index dirty", VERIFY_MEMORY, 0, {0, 0xff}, 1, "\x41\x0f\x10\x04\x3f\xc3", 6},
        /* movups xmm0, [r15 + rdi]; ret */
    {"load folded into a vector operation", VERIFY_MEMORY, 0, {2, 0xff}, 1, "\x89\xf8\x66\x41\x0f\xfe\x04\x07\xc3", 9},
        /* mov eax, edi; paddd xmm0, [r15 + rax]; ret */
    {"aligned vector store", VERIFY_ENCODING, 0, {2, 0xff}, 1, "\x89\xf8\x41\x0f\x29\x04\x07\xc3", 8},
        /* mov eax, edi; movaps [r15 + rax], xmm0; ret */
    {"vector store in the frame", OK, 24, {0xff}, 0, "\x48\x83\xec\x18\x0f\x11\x04\x24\x48\x83\xc4\x18\xc3", 13},
        /* sub rsp, 24; movups [rsp], xmm0; add rsp, 24; ret */
    {"vector store over the return address", VERIFY_FRAME, 8, {0xff}, 0, "\x48\x83\xec\x08\x0f\x11\x04\x24\x48\x83\xc4\x08\xc3", 13},
        /* sub rsp, 8; movups [rsp], xmm0; add rsp, 8; ret */
    {"slot folded into a vector operation", VERIFY_FRAME, 24, {0xff}, 0, "\x48\x83\xec\x18\x66\x0f\xfe\x04\x24\x48\x83\xc4\x18\xc3", 14},
        /* sub rsp, 24; paddd xmm0, [rsp]; add rsp, 24; ret */
    {"shift that there is not", VERIFY_ENCODING, 0, {0xff}, 0, "\x66\x0f\x73\xe0\x05\xc3", 6},
        /* psraq xmm0, 5; ret */
    {"mask of bytes in memory", VERIFY_ENCODING, 0, {2, 0xff}, 1, "\x89\xf8\x66\x41\x0f\xd7\x04\x07\xc3", 9},
        /* mov eax, edi; pmovmskb eax, [r15 + rax]; ret */
    {"exact check of 16 bytes", OK, 0, {0xff}, 0, "\x41\x89\xfb\x49\x83\xc3\x10\x4d\x3b\x5e\x08\x77\x06\x43\x0f\x10\x44\x1f\xf0\xc3", 20},
        /* mov r11d, edi; add r11, 16; cmp r11, [r14 + 8]; ja 1f; movups xmm0, [r15 + r11 - 16]; 1: ret */
    {"exact check of 8 bytes, access of 16", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\x89\xfb\x49\x83\xc3\x08\x4d\x3b\x5e\x08\x77\x06\x43\x0f\x10\x44\x1f\xf8\xc3", 20},
        /* mov r11d, edi; add r11, 8; cmp r11, [r14 + 8]; ja 1f; movups xmm0, [r15 + r11 - 8]; 1: ret */
    {"exact check of 8 bytes, access of 16 that begins before", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\x89\xfb\x49\x83\xc3\x08\x4d\x3b\x5e\x08\x77\x06\x43\x0f\x10\x44\x1f\xf0\xc3", 20},
        /* mov r11d, edi; add r11, 8; cmp r11, [r14 + 8]; ja 1f; movups xmm0, [r15 + r11 - 16]; 1: ret */
    {"lock on a load", VERIFY_ENCODING, 0, {0xff}, 0, "\x89\xf8\xf0\x41\x0f\xb6\x04\x07\xc3", 9},
        /* mov eax, edi; .byte 0xf0, 0x41, 0x0f, 0xb6, 0x04, 0x07; ret */
    {"locked sum", OK, 0, {2, 0xff}, 1, "\x89\xf8\xf0\x41\x0f\xc1\x34\x07\xc3", 9},
        /* mov eax, edi; lock xadd dword ptr [r15 + rax], esi; ret */
    {"locked sum, index dirty", VERIFY_MEMORY, 0, {0, 0xff}, 1, "\xf0\x41\x0f\xc1\x34\x3f\xc3", 7},
        /* lock xadd dword ptr [r15 + rdi], esi; ret */
    {"locked comparison", OK, 0, {20, 0xff}, 1, "\x41\x89\xfb\x49\x83\xc3\x08\x41\xf6\xc3\x07\x75\x0c\x4d\x03\x9e\x00\x06\x00\x7a\xf0\x49\x0f\xb1\x33\xc3", 26},
        /* mov r11d, edi; add r11, 8; test r11b, 7; jne 1f; add r11, [r14 + BASE1]; lock cmpxchg qword ptr [r11], rsi; 1: ret */
    {"a sum past the window", VERIFY_MEMORY, 0, {31, 0xff}, 1, "\x41\x89\xfb\x49\x81\xc3\xff\xff\xff\x7f\x49\x81\xc3\xff\xff\xff\x7f\x49\x81\xc3\xff\xff\xff\x7f\x4d\x03\x9e\x00\x06\x00\x7a\x41\x8b\x03\xc3", 35},
        /* mov r11d, edi; add r11, 0x7fffffff; add r11, 0x7fffffff; add r11, 0x7fffffff; add r11, [r14 + BASE1]; mov eax, [r11]; ret */
    {"a sum to the window's end", OK, 0, {24, 0xff}, 1, "\x41\x89\xfb\x49\x81\xc3\xff\xff\xff\x7f\x49\x81\xc3\x00\xff\xff\x7f\x4d\x03\x9e\x00\x06\x00\x7a\x41\x8b\x03\xc3", 28},
        /* mov r11d, edi; add r11, 0x7fffffff; add r11, 0x7fffff00; add r11, [r14 + BASE1]; mov eax, [r11]; ret */
    {"a difference below the window", VERIFY_MEMORY, 0, {14, 0xff}, 1, "\x41\x89\xfb\x49\x83\xeb\x08\x4d\x03\x9e\x00\x06\x00\x7a\x41\x8b\x03\xc3", 18},
        /* mov r11d, edi; sub r11, 8; add r11, [r14 + BASE1]; mov eax, [r11]; ret */
    {"exact check, then moved", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\x89\xfb\x49\x83\xc3\x08\x4d\x3b\x9e\x00\x08\x00\x7a\x77\x0f\x49\x83\xc3\x08\x4d\x03\x9e\x00\x07\x00\x7a\x49\x8b\x43\xf8\xc3", 32},
        /* mov r11d, edi; add r11, 8; cmp r11, [r14 + BYTES2]; ja 1f; add r11, 8; add r11, [r14 + BASE2]; mov rax, [r11 - 8]; 1: ret */
    {"exact check of 32 bits", OK, 0, {0xff}, 0, "\x41\x89\xfb\x49\x81\xc3\xff\xff\xff\x7f\x49\x83\xc3\x18\x4d\x3b\x9e\x00\x08\x00\x7a\x77\x0b\x4d\x03\x9e\x00\x07\x00\x7a\x49\x8b\x43\xf0\xc3", 35},
        /* mov r11d, edi; add r11, 0x7fffffff; add r11, 0x18; cmp r11, [r14 + BYTES2]; ja 1f; add r11, [r14 + BASE2]; mov rax, [r11 - 16]; 1: ret */
    {"exact check of 32 bits, index of 64", VERIFY_MEMORY, 0, {0xff}, 0, "\x49\x89\xfb\x49\x83\xc3\x08\x4d\x3b\x9e\x00\x08\x00\x7a\x77\x0b\x4d\x03\x9e\x00\x07\x00\x7a\x49\x8b\x43\xf8\xc3", 28},
        /* mov r11, rdi; add r11, 8; cmp r11, [r14 + BYTES2]; ja 1f; add r11, [r14 + BASE2]; mov rax, [r11 - 8]; 1: ret */
    {"exact check of the lower half", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\x89\xfb\x49\x83\xc3\x08\x45\x3b\x9e\x00\x08\x00\x7a\x77\x0b\x4d\x03\x9e\x00\x07\x00\x7a\x49\x8b\x43\xf8\xc3", 28},
        /* mov r11d, edi; add r11, 8; cmp r11d, dword ptr [r14 + BYTES2]; ja 1f; add r11, [r14 + BASE2]; mov rax, [r11 - 8]; 1: ret */
    {"exact check against another field", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\x89\xfb\x49\x83\xc3\x08\x4d\x3b\x9e\x08\x08\x00\x7a\x77\x0b\x4d\x03\x9e\x00\x07\x00\x7a\x49\x8b\x43\xf8\xc3", 28},
        /* mov r11d, edi; add r11, 8; cmp r11, [r14 + BYTES2 + 8]; ja 1f; add r11, [r14 + BASE2]; mov rax, [r11 - 8]; 1: ret */
    {"exact check of the third memory, access to the first", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\x89\xfb\x49\x83\xc3\x08\x4d\x3b\x9e\x00\x08\x00\x7a\x77\x05\x4b\x8b\x44\x1f\xf8\xc3", 22},
        /* mov r11d, edi; add r11, 8; cmp r11, [r14 + BYTES2]; ja 1f; mov rax, [r15 + r11 - 8]; 1: ret */
    {"exact check of the first memory", OK, 0, {0xff}, 0, "\x41\x89\xfb\x49\x83\xc3\x08\x4d\x3b\x5e\x08\x77\x05\x4b\x8b\x44\x1f\xf8\xc3", 19},
        /* mov r11d, edi; add r11, 8; cmp r11, [r14 + 8]; ja 1f; mov rax, [r15 + r11 - 8]; 1: ret */
    {"a checked access that the trap table names", VERIFY_TRAPS, 0, {13, 0xff}, 1, "\x41\x89\xfb\x49\x83\xc3\x08\x4d\x3b\x5e\x08\x77\x05\x4b\x8b\x44\x1f\xf8\xc3", 19},
        /* mov r11d, edi; add r11, 8; cmp r11, [r14 + 8]; ja 1f; mov rax, [r15 + r11 - 8]; 1: ret */
    {"a memory without guards as if it had them", VERIFY_MEMORY, 0, {10, 0xff}, 1, "\x41\x89\xfb\x4d\x03\x9e\x00\x07\x00\x7a\x41\x8b\x03\xc3", 14},
        /* mov r11d, edi; add r11, [r14 + BASE2]; mov eax, [r11]; ret */
    {"carry asked for too late", VERIFY_MEMORY, 0, {0xff}, 0, "\x41\xbb\x08\x00\x00\x00\x49\x01\xfb\x85\xf6\x72\x14\x4d\x3b\x9e\x00\x08\x00\x7a\x77\x0b\x4d\x03\x9e\x00\x07\x00\x7a\x49\x8b\x43\xf8\xc3", 34},
        /* mov r11d, 8; add r11, rdi; test esi, esi; jb 1f; cmp r11, [r14 + BYTES2]; ja 1f; add r11, [r14 + BASE2]; mov rax, [r11 - 8]; 1: ret */
    {"a memory's pages", OK, 0, {0xff}, 0, "\x49\x8b\x86\x08\x08\x00\x7a\xc3", 8},
        /* mov rax, [r14 + BYTES2 + 8]; ret */
    {"a memory's pages stored", VERIFY_CONTEXT, 0, {0xff}, 0, "\x49\x89\xbe\x08\x08\x00\x7a\xc3", 8},
        /* mov [r14 + BYTES2 + 8], rdi; ret */
    {"a further memory's base stored", VERIFY_CONTEXT, 0, {0xff}, 0, "\x49\x89\xbe\x00\x06\x00\x7a\xc3", 8},
        /* mov [r14 + BASE1], rdi; ret */
    {"behind a memory's fields", VERIFY_CONTEXT, 0, {0xff}, 0, "\x49\x8b\x86\x18\x06\x00\x7a\xc3", 8},
        /* mov rax, [r14 + BASE1 + 24]; ret */
};

static struct jit_code code;
static struct verify_module facts;
static struct arena arena, scratch;
static u8 *bytes; /* a copy of the code to be spoilt */
static struct verify_func *funcs;
static u32 pending, import, stack_exit; /* in glue */

static void compile(void) {
    CHECK(proof_of(&arena, &scratch, proof_victim, &code, &facts));
    bytes = arena_alloc(&arena, code.size);
    funcs = ARENA_ARRAY(&arena, struct verify_func, facts.func_count);
}

/* As the compiler left it. */
static void restore(void) {
    memcpy(bytes, code.bytes, code.size);
    for (u32 k = 0; k < facts.func_count; k++)
        funcs[k] = (struct verify_func){code.funcs[k].entry, code.funcs[k].end, code.funcs[k].frame, code.funcs[k].spare, facts.funcs[k].type};
    facts.code = bytes;
    facts.cpu = VERIFY_CPU_SSE41 | VERIFY_CPU_BMI1 | VERIFY_CPU_BMI2 | VERIFY_CPU_AVX;
    facts.funcs = funcs;
    facts.traps = (const struct verify_trap *)code.traps;
    facts.trap_count = code.trap_count;
    facts.points = (const struct verify_point *)code.points;
    facts.point_count = code.point_count;
}

static int verdict(void) {
    struct verify_error why = {0};
    enum err e = verify_code(&scratch, &facts, &why);
    CHECK(!e || e == ERR_PROOF);
    return e ? (int)why.rule : OK;
}

/* Where the n-th call (or jump) of this opcode in the last function goes, if to glue. */
static u32 call_of(u32 n, const char *opcode, u32 length) {
    const struct jit_func *f = &code.funcs[code.func_count - 1];
    for (u32 at = f->entry; at + length + 4 <= f->end; at++) {
        i32 by;
        memcpy(&by, code.bytes + at + length, 4);
        u32 to = at + length + 4 + (u32)by;
        if (!memcmp(code.bytes + at, opcode, length) && to >= code.thunks_start && to < code.thunks_end && !n--) return to;
    }
    CHECK(false);
    return 0;
}

/* What a mark stands for; relative ones count from the end of the four bytes. */
static bool meaning(u32 mark, u32 end, u32 *out) {
    const struct abi_layout *l = &facts.layout;
    u32 k = mark & 0xff, data = code.code_end;
    switch (mark & ~0xffu) {
    case 0x7a000000: *out = l->imports; return true;
    case 0x7a000100: *out = l->globals + k; return true;
    case 0x7a000200: *out = l->globals + 16 + k; return true;
    case 0x7a000300: *out = l->globals + 32 + k; return true;
    case 0x7a000500: *out = l->tables; return true;
    case 0x7a000600: *out = abi_memory_offset(*l, 1) + k; return true;
    case 0x7a000700: *out = abi_memory_offset(*l, 2); return true;
    case 0x7a000800: *out = abi_memory_offset(*l, 2) + 8 + k; return true;
    case 0x7a000a00: *out = data - end; return true;
    case 0x7a000b00: *out = code.size - 4 - end; return true;
    case 0x7b000000: *out = code.funcs[1].entry + k - end; return true;
    case 0x7b000100: *out = code.thunks_start + 1 - end; return true;
    case 0x7b000200: *out = 0x10000000; return true;
    case 0x7a000c00: *out = l->direct + k; return true;
    case 0x7b000300: *out = pending - end; return true;
    case 0x7b000500: *out = stack_exit - end; return true;
    case 0x7b000400: *out = import - end; return true;
    default: break;
    }
    if (mark < 0x7a010000 || mark > 0x7a020000) return false;
    *out = (u32)offsetof(struct abi_store, overflow) + mark - 0x7a010000;
    return true;
}

static void place(const struct attack *a) {
    u32 entry = funcs[0].entry;
    CHECK(entry + a->length <= funcs[0].end);
    memset(bytes + entry, 0xcc, funcs[0].end - entry);
    memcpy(bytes + entry, a->bytes, a->length);
    for (u32 k = 0; k + 4 <= a->length; k++) {
        u32 mark, what;
        memcpy(&mark, bytes + entry + k, 4);
        if (meaning(mark, entry + k + 4, &what)) memcpy(bytes + entry + k, &what, 4);
    }
    funcs[0].end = entry + a->length;
    funcs[0].frame = a->frame;
    funcs[0].spare = 0;
}

/* Those of the functions behind the replaced one, behind n: how many there are then. */
static u32 other_traps(struct verify_trap *traps, u32 n, u32 room) {
    for (u32 t = 0; t < code.trap_count && n < room; t++)
        if (code.traps[t].pc >= code.funcs[1].entry) traps[n++] = (struct verify_trap){code.traps[t].pc, code.traps[t].kind};
    return n;
}

static void test_attacks(void) {
    for (u32 k = 0; k < ARRAY_LEN(attacks); k++) {
        const struct attack *a = &attacks[k];
        struct verify_trap traps[16];
        u32 n = 0;
        restore();
        place(a);
        for (; n < a->trap_count; n++) {
            u32 pc = funcs[0].entry + a->traps[n];
            traps[n] = (struct verify_trap){pc, bytes[pc] == 0x0f && bytes[pc + 1] == 0x0b ? ABI_TRAP_UNREACHABLE : ABI_TRAP_MEMORY};
        }
        n = other_traps(traps, n, ARRAY_LEN(traps));
        facts.traps = traps;
        facts.trap_count = n;
        facts.point_count = 0;
        int rule = verdict();
        test_text(rule == OK ? "accepted" : verify_rule_text((enum verify_rule)rule),
                  a->rule == OK ? "accepted" : verify_rule_text((enum verify_rule)a->rule), a->name, __FILE__, __LINE__);
    }
}

/* What the CPU has not is no instruction, or another one. */
static void test_cpu(void) {
    static const struct {
        u32 needs, length;
        const char *bytes;
    } forms[] = {
        {VERIFY_CPU_SSE41, 7, "\x66\x0f\x3a\x16\xc0\x00\xc3"},                 /* pextrd eax, xmm0, 0; ret */
        {VERIFY_CPU_POPCNT, 5, "\xf3\x0f\xb8\xc7\xc3"},                         /* popcnt eax, edi; ret */
        {VERIFY_CPU_LZCNT, 5, "\xf3\x0f\xbd\xc7\xc3"},                          /* lzcnt eax, edi; ret: else bsr */
        {VERIFY_CPU_BMI1, 5, "\xf3\x0f\xbc\xc7\xc3"},                           /* tzcnt eax, edi; ret: else bsf */
        {VERIFY_CPU_BMI1, 6, "\xc4\xe2\x70\xf2\xc7\xc3"},                       /* andn eax, ecx, edi; ret */
        {VERIFY_CPU_BMI2, 6, "\xc4\xe2\x71\xf7\xc7\xc3"},                       /* shlx eax, edi, ecx; ret */
        {VERIFY_CPU_BMI2, 7, "\xc4\xe3\x7b\xf0\xc7\x05\xc3"},                   /* rorx eax, edi, 5; ret */
        {VERIFY_CPU_AVX, 5, "\xc5\xe9\xfe\xc1\xc3"},                            /* vpaddd xmm0, xmm2, xmm1; ret */
        {VERIFY_CPU_AVX | VERIFY_CPU_SSE41, 6, "\xc4\xe2\x69\x40\xc1\xc3"},     /* vpmulld xmm0, xmm2, xmm1; ret */
    };
    struct verify_trap traps[16];
    for (u32 k = 0; k < ARRAY_LEN(forms); k++) {
        struct attack a = {.bytes = forms[k].bytes, .length = forms[k].length};
        restore();
        place(&a);
        facts.traps = traps, facts.trap_count = other_traps(traps, 0, ARRAY_LEN(traps)), facts.point_count = 0;
        facts.cpu = forms[k].needs;
        EQUAL(verdict(), OK);
        for (u32 bit = 1; bit < 256; bit <<= 1) {
            if (!(forms[k].needs & bit)) continue;
            facts.cpu = 0xff & ~bit;
            EQUAL(verdict(), VERIFY_ENCODING);
        }
    }
}

/* A point may claim anything: it makes nothing known. */
static void test_points(void) {
    static const struct {
        const char *bytes;
        u32 length, at, keep, trap;
        int rule;
        u32 also; /* another trap site; 0: none */
    } loops[] = {
        {"\x89\xf8\x41\x8b\x0c\x07\xff\xcf\x75\xf8\xc3", 11, 2, 1, 2, OK, 0}, /* mov eax, edi; 1: mov ecx, [r15 + rax]; dec edi; jne 1b; ret */
        {"\x89\xf8\x41\x8b\x0c\x07\xff\xcf\x75\xf8\xc3", 11, 2, 0, 2, VERIFY_MEMORY, 0},   /* not kept */
        {"\x89\xf8\x41\x8b\x0c\x07\xff\xcf\x75\xf8\xc3", 11, 3, 1, 2, VERIFY_BRANCH, 0},   /* not where an instruction begins */
        {"\x90\x90\x41\x8b\x0c\x07\xff\xcf\x75\xf8\xc3", 11, 2, 1, 2, VERIFY_MEMORY, 0},   /* claimed, not so */
        {"\x89\xf8\x41\x8b\x04\x07\x48\x89\xd0\xff\xcf\x75\xf5\xc3", 14, 2, 1, 2, VERIFY_BRANCH, 0}, /* not so when it jumps back */
        {"\x89\xf8\x41\x8b\x0c\x07\xff\xcf\x75\xf8\xc3", 11, 2, VERIFY_PAD, 2, VERIFY_SAVED, 0},
        /* mov r11d, edi; add r11, [r14 + BASE1]; mov eax, [r11]; 1: mov rdx, rax; lock cmpxchg [r11], edx; ...; jne 1b; ret */
        {"\x41\x89\xfb\x4d\x03\x9e\x00\x06\x00\x7a\x41\x8b\x03\x48\x89\xc2\xf0\x41\x0f\xb1\x13\x75\xf6\xc3", 24, 13, 0x800, 10, OK, 16}, /* a retry loop: r11 is kept */
        {"\x41\x89\xfb\x4d\x03\x9e\x00\x06\x00\x7a\x41\x8b\x03\x48\x89\xc2\xf0\x41\x0f\xb1\x13\x75\xf6\xc3", 24, 13, 0, 10, VERIFY_POINTER, 16}, /* not kept */
        {"\x41\x89\xfb\x4d\x03\x9e\x00\x06\x00\x7a\x41\x8b\x03\x48\x89\xc2\xf0\x41\x0f\xb1\x13\x41\x89\xfb\x75\xf3\xc3", 27, 13, 0x800, 10, VERIFY_BRANCH, 16}, /* another r11 when it jumps back */
        {"\x41\x89\xfb\x74\x07\x4d\x03\x9e\x00\x06\x00\x7a\x41\x8b\x03\xc3", 16, 12, 0x800, 12, VERIFY_POINTER, 0}, /* a jump forward comes there with a number */
        {"\x41\x89\xfb\x4d\x03\x9e\x00\x06\x00\x7a\xc3\x41\x8b\x03\xc3", 15, 11, 0x800, 11, VERIFY_POINTER, 0}, /* behind a return */
    };
    for (u32 k = 0; k < ARRAY_LEN(loops); k++) {
        struct attack a = {.bytes = loops[k].bytes, .length = loops[k].length};
        struct verify_trap traps[8] = {{0, ABI_TRAP_MEMORY}};
        u32 n = 1;
        restore();
        place(&a);
        traps[0].pc = funcs[0].entry + loops[k].trap;
        if (loops[k].also) traps[n++] = (struct verify_trap){funcs[0].entry + loops[k].also, ABI_TRAP_MEMORY};
        n = other_traps(traps, n, ARRAY_LEN(traps));
        struct verify_point p = {funcs[0].entry + loops[k].at, loops[k].keep};
        facts.traps = traps, facts.trap_count = n, facts.points = &p, facts.point_count = 1;
        EQUAL(verdict(), loops[k].rule);
    }
}

/* Two switches by the same table, which is all of the data: each of n entries may be
 * named once. */
static void test_switches(void) {
    struct attack a = {.bytes = "\x89\xf8\x83\xf8\x00\x73\x11\x4c\x8d\x1d\x00\x0a\x00\x7a\x49\x63\x04\x83\x4c\x03\xd8\x41\xff\xe3"
                                "\x89\xf8\x83\xf8\x00\x73\x11\x4c\x8d\x1d\x00\x0a\x00\x7a\x49\x63\x04\x83\x4c\x03\xd8\x41\xff\xe3\xc3", .length = 49};
    /* twice: mov eax, edi; cmp eax, n; jae 1f; lea r11, [DATA]; movsxd rax, [r11 + rax * 4]; add r11, rax; jmp r11; 1:; then ret */
    u32 n = (code.size - code.code_end) / 4, other = code.trap_count;
    CHECK(n > 1 && n < 128);
    while (other && code.traps[other - 1].pc >= code.funcs[1].entry) other--;
    for (u32 more = 0; more < 2; more++) {
        restore();
        place(&a);
        i32 by = (i32)(funcs[0].entry + 48 - code.code_end);
        bytes[funcs[0].entry + 4] = (u8)n;
        bytes[funcs[0].entry + 28] = (u8)more;
        for (u32 k = 0; k < n; k++) memcpy(bytes + code.code_end + 4 * k, &by, 4);
        facts.traps += other, facts.trap_count -= other, facts.point_count = 0;
        EQUAL(verdict(), more ? VERIFY_DATA : OK);
    }
}

/* Every bit of the glue matters, but for padding. */
static void test_glue(void) {
    u32 accepted = 0;
    for (u32 at = code.thunks_start; at < code.thunks_end; at++)
        for (u32 bit = 0; bit < 8; bit++) {
            restore();
            bytes[at] ^= (u8)(1 << bit);
            if (verdict() != OK) continue;
            accepted++;
            CHECK(code.bytes[at] == 0xcc);
        }
    CHECK(accepted < 8 * (code.thunks_end - code.thunks_start) / 8);
}

static void test_tables(void) {
    restore();
    EQUAL(verdict(), OK);
    funcs[0].frame += 8;
    EQUAL(verdict(), VERIFY_FRAME);
    restore();
    funcs[0].end = funcs[1].entry;
    EQUAL(verdict(), VERIFY_TABLES);
    restore();
    bytes[funcs[0].entry - 4] ^= 1;
    EQUAL(verdict(), VERIFY_TABLES);
    restore();
    facts.trap_count--;
    EQUAL(verdict(), VERIFY_TRAPS);
    restore();
    facts.glue_end = code.code_end + 1;
    EQUAL(verdict(), VERIFY_TABLES);
    facts.glue_end = code.thunks_end;
    facts.trap_exit++;
    EQUAL(verdict(), VERIFY_GLUE);
    facts.trap_exit--;
    facts.cross_return--;
    EQUAL(verdict(), VERIFY_GLUE);
    facts.cross_return++;
    struct verify_catch pads[] = {{UINT32_MAX, funcs[0].entry, false}};
    struct verify_site site = {funcs[0].end, 0, 1};
    facts.sites = &site, facts.catches = pads, facts.site_count = facts.catch_count = 1;
    EQUAL(verdict(), VERIFY_TABLES); /* no pad there */
    facts.site_count = facts.catch_count = 0;
    EQUAL(verdict(), OK);
}

int main(void) {
    arena_init(&arena, &test_heap, 0);
    arena_init(&scratch, &test_heap, 0);
    compile();
    import = call_of(0, "\xe8", 1);
    pending = call_of(1, "\xe8", 1);
    stack_exit = call_of(0, "\x0f\x82", 2);
    test_tables();
    test_attacks();
    test_cpu();
    test_points();
    test_switches();
    test_glue();
    arena_reset(&arena);
    arena_reset(&scratch);
    return test_end("verify_attack");
}
