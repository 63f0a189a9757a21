/* rtc.c: the MC146818 clock: wall time, and its oscillator to measure by. */
#include "arch/x86_64/cpu.h"
#include "plat/vm/clock.h"

enum { INDEX = 0x70, VALUE = 0x71, NMI_OFF = 0x80 };
enum { SECOND = 0, MINUTE = 2, HOUR = 4, DAY = 7, MONTH = 8, YEAR = 9, A = 10, B = 11, C = 12 };
enum { A_UPDATING = 0x80, A_32KHZ_1024 = 0x26, B_PERIODIC = 0x40, B_BINARY = 4, B_24H = 2, C_PERIODIC = 0x40 };
enum { SPINS = 1000000, TICKS = 16, TICK_HZ = 1024 };

static u8 get(u8 reg) {
    outb(INDEX, NMI_OFF | reg);
    return inb(VALUE);
}
static void set(u8 reg, u8 v) {
    outb(INDEX, NMI_OFF | reg);
    outb(VALUE, v);
}

struct date {
    u8 second, minute, hour, day, month, year;
};

static struct date read_date(void) {
    for (u32 i = 0; i < SPINS && get(A) & A_UPDATING; i++) continue;
    return (struct date){get(SECOND), get(MINUTE), get(HOUR), get(DAY), get(MONTH), get(YEAR)};
}

static u32 binary(u8 v, u8 b) { return b & B_BINARY ? v : (v >> 4) * 10u + (v & 15); }

/* Days since 1970-01-01 of a date in the Gregorian calendar: years start in
 * March, so that the leap day comes last. */
static u64 days_from(u32 year, u32 month, u32 day) {
    year -= month <= 2;
    u32 shifted = (month + 9) % 12, in_year = (153 * shifted + 2) / 5 + day - 1;
    u32 era = year / 400, of_era = year % 400;
    return (u64)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + in_year - 719468;
}

u64 rtc_seconds(void) {
    struct date d, again = read_date();
    u32 tries = 0;
    do { /* two equal readings: no update came in between */
        d = again;
        again = read_date();
    } while (__builtin_memcmp(&d, &again, sizeof d) && ++tries < 10);
    u8 b = get(B);
    u32 hour = binary(d.hour & 0x7f, b), month = binary(d.month, b), day = binary(d.day, b);
    if (!(b & B_24H)) hour = hour % 12 + (d.hour & 0x80 ? 12 : 0);
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23) return 0; /* no clock */
    u64 days = days_from(2000 + binary(d.year, b), month, day);
    return days * 86400 + hour * 3600 + binary(d.minute, b) * 60 + binary(d.second, b);
}

/* Waits for the next tick of the periodic interrupt's flag. */
static bool tick(void) {
    for (u32 i = 0; i < SPINS; i++)
        if (get(C) & C_PERIODIC) return true;
    return false;
}

u64 rtc_measure_tsc(u64 *ns) {
    u8 a = get(A), b = get(B);
    if (a == 0xff && b == 0xff) return 0;
    set(A, A_32KHZ_1024);
    set(B, b | B_PERIODIC); /* its line is masked: only the flag is read */
    get(C);
    bool ok = tick() && tick();
    u64 start = rdtsc();
    for (u32 i = 0; ok && i < TICKS; i++) ok = tick();
    u64 ticks = rdtsc() - start;
    set(B, b);
    get(C);
    *ns = TICKS * 1000000000ull / TICK_HZ;
    return ok ? ticks : 0;
}
