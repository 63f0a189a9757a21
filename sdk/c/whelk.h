/* whelk.h: for kernel extensions in C. Compile with
 *
 *   clang-19 --target=wasm32-unknown-unknown -O2 -nostdlib -Isdk/c \
 *            -Wl,--no-entry,-s -o tracer.wasm tracer.c
 *
 * and load with  whelk ext load NAME tracer.wasm  while the kernel runs.
 *
 * A handler is an export named as its hook; WHELK_HOOK declares one:
 *
 *   WHELK_MODULE
 *   WHELK_NET_RX { return whelk_load8(23) == 17 ? WHELK_DROP : WHELK_PASS; }
 *
 * It runs with interrupts on and preemption off, to its end, within the hook's
 * time budget (20 ms; ctl.call 200 ms). One that takes longer is stopped and
 * quarantined; so is one that traps three times. Its globals live from load to
 * unload. Optional exports of type () -> (): "whelk.load", called before it is
 * attached, and "whelk.unload", called after it was detached. */
#ifndef WHELK_SDK_WHELK_H
#define WHELK_SDK_WHELK_H

typedef unsigned char whelk_u8;
typedef unsigned short whelk_u16;
typedef unsigned int whelk_u32;
typedef unsigned long long whelk_u64;
typedef long long whelk_i64;

enum { WHELK_ABI_VERSION = 1 };
enum { WHELK_PASS = 0, WHELK_DROP = 1, WHELK_TX = 2 /* net.rx only: send it back out */ };
enum { WHELK_RECEIVED = 0, WHELK_SENT = 1 };
enum { WHELK_LOG_ERROR, WHELK_LOG_WARN, WHELK_LOG_INFO, WHELK_LOG_DEBUG };

/* Once in each module: the version of the contract that it was compiled for,
 * in the custom section "whelk". */
#define WHELK_MODULE __asm__(".section .custom_section.whelk,\"\",@\n.int32 1\n.text\n");

#define WHELK_EXPORT(name) __attribute__((export_name(name), used))
#define WHELK_NET_RX WHELK_EXPORT("net.rx") int whelk_on_rx(whelk_u32 length, whelk_u32 interface)
#define WHELK_NET_TX WHELK_EXPORT("net.tx") int whelk_on_tx(whelk_u32 length, whelk_u32 interface)
#define WHELK_NET_TAP WHELK_EXPORT("net.tap") void whelk_on_tap(whelk_u32 length, whelk_u32 direction)
/* 0: success, the reply is what whelk_reply appended. */
#define WHELK_CTL_CALL WHELK_EXPORT("ctl.call") int whelk_on_call(whelk_u32 length)
/* A system call of the program: before it (WHELK_DROP: it is not made), after it. */
#define WHELK_CALL_ENTER WHELK_EXPORT("call.enter") int whelk_on_call_enter(whelk_u32 number, whelk_u32 thread)
#define WHELK_CALL_EXIT WHELK_EXPORT("call.exit") void whelk_on_call_exit(whelk_u32 number, whelk_u32 thread)
/* Called soon after the load; then when its last answer said, in nanoseconds
 * since boot (now is the same clock). 0: no more. Never sooner than 1 ms. */
#define WHELK_TIMER WHELK_EXPORT("timer") whelk_u64 whelk_on_timer(whelk_u64 now)
#define WHELK_ON_LOAD WHELK_EXPORT("whelk.load") void whelk_on_load(void)
#define WHELK_ON_UNLOAD WHELK_EXPORT("whelk.unload") void whelk_on_unload(void)

#define WHELK_IMPORT(name) __attribute__((import_module("whelk"), import_name(name)))

/* Nanoseconds since boot; never goes back. */
__attribute__((import_module("env"), import_name("now"))) whelk_u64 whelk_now(void);

/* The frame that the hook fired for. Fields are in network order; a load that
 * is not all inside the frame answers -1. */
WHELK_IMPORT("frame_length") whelk_u32 whelk_frame_length(void);
WHELK_IMPORT("frame_interface") whelk_u32 whelk_frame_interface(void);
WHELK_IMPORT("frame_direction") whelk_u32 whelk_frame_direction(void);
WHELK_IMPORT("frame_time") whelk_u64 whelk_frame_time(void); /* ns since 1970 */
WHELK_IMPORT("frame_load8") int whelk_load8(whelk_u32 at);
WHELK_IMPORT("frame_load16") int whelk_load16(whelk_u32 at);
WHELK_IMPORT("frame_load32") whelk_i64 whelk_load32(whelk_u32 at);
/* Copies at most n bytes from the frame; how many there were. */
WHELK_IMPORT("frame_bytes") whelk_u32 whelk_bytes(whelk_u32 at, void *to, whelk_u32 n);
/* Overwrites n bytes of the frame: 0, or -1 if they are not all inside (or in net.tap). */
WHELK_IMPORT("frame_store") int whelk_store(whelk_u32 at, const void *from, whelk_u32 n);

/* The stream to the host (whelk trace NAME). A record is whole or lost: begin
 * announces its length, bytes and frame append, commit sends. 0: lost, and
 * counted. The preamble goes first to every reader. */
WHELK_IMPORT("stream_preamble") int whelk_stream_preamble(const void *p, whelk_u32 n);
WHELK_IMPORT("stream_begin") int whelk_stream_begin(whelk_u32 n);
WHELK_IMPORT("stream_bytes") int whelk_stream_bytes(const void *p, whelk_u32 n);
WHELK_IMPORT("stream_frame") int whelk_stream_frame(whelk_u32 at, whelk_u32 n);
WHELK_IMPORT("stream_commit") int whelk_stream_commit(void);
WHELK_IMPORT("stream_write") int whelk_stream_write(const void *p, whelk_u32 n);

/* At most 20 lines a second. */
WHELK_IMPORT("log") void whelk_log(whelk_u32 level, const void *text, whelk_u32 n);

/* The system call that call.enter or call.exit fired for. i: 0 to 5. */
WHELK_IMPORT("syscall_number") whelk_u32 whelk_syscall_number(void);
WHELK_IMPORT("syscall_arg") whelk_u64 whelk_syscall_arg(whelk_u32 i);
WHELK_IMPORT("syscall_result") whelk_i64 whelk_syscall_result(void); /* call.exit; -errno */
/* call.enter: the result of a call that is not made (else -EPERM); call.exit: instead of its own. */
WHELK_IMPORT("syscall_set_result") void whelk_syscall_set_result(whelk_i64 result);
/* Copies at most n bytes (4,096) of the program's memory; how many could be had
 * without waiting: a page that the program has not touched yet is not there. */
WHELK_IMPORT("syscall_read") whelk_u32 whelk_syscall_read(whelk_u64 from, void *to, whelk_u32 n);

/* what whelk call sent (ctl.call), and the answer to it. */
WHELK_IMPORT("call_length") whelk_u32 whelk_call_length(void);
WHELK_IMPORT("call_read") whelk_u32 whelk_call_read(whelk_u32 at, void *to, whelk_u32 n);
WHELK_IMPORT("call_reply") int whelk_reply(const void *p, whelk_u32 n);

#endif
