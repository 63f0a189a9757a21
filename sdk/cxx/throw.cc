// throw.cc: C++ exceptions for WASI programs. Debian's libc++abi for wasm32 knows
// types (dynamic_cast, can_catch) but cannot throw; this is the rest of the ABI that
// clang -fwasm-exceptions calls. Link it with the program:
//
//   clang --driver-mode=g++ --target=wasm32-wasi -fwasm-exceptions prog.cc sdk/cxx/throw.cc
//
// A throw is the instruction, which needs no walk ahead: a catch pad gets the
// exception, asks choose() which of its handlers it is for, and throws on if none.
// Left out: exception_ptr and nested_exception, and what the library itself (built
// without exceptions) would throw: it aborts there.
//
// I1 a thrown object lies behind its struct thrown; a pointer to that is what the
//    instruction carries.
// I2 caught lists what is being handled, the innermost first; one that is thrown
//    on from there has a negative count of handlers, and is not destroyed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <typeinfo>

namespace __cxxabiv1 {

// What libc++abi's type_info objects answer: their third virtual function after the destructor.
class __shim_type_info : public std::type_info {
  public:
    virtual ~__shim_type_info();
    virtual void noop1() const;
    virtual void noop2() const;
    virtual bool can_catch(const __shim_type_info *thrown, void *&object) const = 0;
};

} // namespace __cxxabiv1

namespace {

enum { TAG_CPP_EXCEPTION = 0, CONTINUE = 8, HANDLER = 6 }; // __builtin_wasm_throw's; the unwinder's reason codes

struct alignas(16) thrown {
    std::type_info *type;
    void *(*destroy)(void *); // a destructor gives back its object here
    thrown *next;             // of caught
    int handlers;
    void *object; // as the handler's type sees it
};

thrown *caught;

void *body(thrown *t) { return t + 1; }
thrown *head(void *object) { return static_cast<thrown *>(object) - 1; }

// Where a function's tables are read, in the encodings that clang writes for wasm.
struct reader {
    const uint8_t *p;

    uint32_t unsigned_leb() {
        uint32_t shift = 0;
        return bits(shift);
    }
    int32_t signed_leb() {
        uint32_t shift = 0, v = bits(shift);
        if (p[-1] & 0x40 && shift < 32) v |= ~0u << shift;
        return static_cast<int32_t>(v);
    }

  private:
    // Of either kind, without the sign; shift: how many there were.
    uint32_t bits(uint32_t &shift) {
        uint32_t v = 0;
        uint8_t b;
        do {
            b = *p++;
            v |= static_cast<uint32_t>(b & 0x7f) << shift;
            shift += 7;
        } while (b & 0x80);
        return v;
    }
};

struct tables {
    const std::type_info *const *types; // read backwards: the n-th lies n before it
    const uint8_t *sites, *actions;
};

// The head of a language specific data area: no landing pads' base, absolute types.
tables open(const uint8_t *lsda) {
    enum { OMITTED = 0xff };
    tables t = {};
    reader r = {lsda};
    if (*r.p++ != OMITTED) r.unsigned_leb();
    if (*r.p++ != OMITTED) {
        uint32_t n = r.unsigned_leb();
        t.types = reinterpret_cast<const std::type_info *const *>(r.p + n);
    }
    r.p++; // the encoding of the sites: unsigned LEB
    uint32_t n = r.unsigned_leb();
    t.sites = r.p;
    t.actions = r.p + n;
    return t;
}

// Of the pad's clauses the first that takes the object: its number, which the code compares; 0: none.
uint32_t choose(const tables &t, uint32_t pad, thrown *e) {
    reader site = {t.sites};
    uint32_t action = 0;
    for (uint32_t k = 0; k <= pad; k++) {
        site.unsigned_leb();
        action = site.unsigned_leb();
    }
    for (const uint8_t *at = t.actions + action - 1; action;) {
        reader r = {at};
        int32_t filter = r.signed_leb();
        const uint8_t *from = r.p;
        int32_t next = r.signed_leb();
        if (filter > 0) {
            auto *type = static_cast<const __cxxabiv1::__shim_type_info *>(t.types[-filter]);
            void *object = body(e);
            // A pointer is caught by its value, which can_catch may adjust.
            if (!type || type->can_catch(static_cast<const __cxxabiv1::__shim_type_info *>(e->type), object)) {
                e->object = object;
                return static_cast<uint32_t>(filter);
            }
        }
        if (!next) break;
        at = from + next;
    }
    return 0;
}

} // namespace

extern "C" {

// Filled in by a catch pad before it asks: its number, its function's tables.
struct {
    uintptr_t pad, lsda, selector;
} __wasm_lpad_context;

int _Unwind_CallPersonality(void *exception) {
    auto *e = static_cast<thrown *>(exception);
    e->object = body(e);
    __wasm_lpad_context.selector = 0;
    if (!__wasm_lpad_context.lsda) return CONTINUE;
    tables t = open(reinterpret_cast<const uint8_t *>(__wasm_lpad_context.lsda));
    __wasm_lpad_context.selector = choose(t, static_cast<uint32_t>(__wasm_lpad_context.pad), e);
    return __wasm_lpad_context.selector ? HANDLER : CONTINUE;
}

void *__cxa_allocate_exception(size_t n) noexcept {
    void *p = std::aligned_alloc(16, (sizeof(thrown) + n + 15) & ~static_cast<size_t>(15));
    if (!p) std::terminate();
    return body(new (p) thrown());
}

void __cxa_free_exception(void *object) noexcept { std::free(head(object)); }

[[noreturn]] void __cxa_throw(void *object, std::type_info *type, void *(*destroy)(void *)) {
    thrown *e = head(object);
    e->type = type;
    e->destroy = destroy;
    __builtin_wasm_throw(TAG_CPP_EXCEPTION, e);
}

void *__cxa_get_exception_ptr(void *exception) noexcept { return static_cast<thrown *>(exception)->object; }

void *__cxa_begin_catch(void *exception) noexcept {
    auto *e = static_cast<thrown *>(exception);
    e->handlers = (e->handlers < 0 ? -e->handlers : e->handlers) + 1;
    if (caught != e) {
        e->next = caught;
        caught = e;
    }
    return e->object;
}

void __cxa_end_catch() {
    thrown *e = caught;
    if (!e) return;
    bool on_its_way = e->handlers < 0;
    e->handlers += on_its_way ? 1 : -1;
    if (e->handlers) return;
    caught = e->next;
    if (on_its_way) return;
    if (e->destroy) e->destroy(body(e));
    std::free(e);
}

[[noreturn]] void __cxa_rethrow() {
    thrown *e = caught;
    if (!e) std::terminate();
    e->handlers = -e->handlers;
    __builtin_wasm_throw(TAG_CPP_EXCEPTION, e);
}

std::type_info *__cxa_current_exception_type() noexcept { return caught ? caught->type : nullptr; }

// Named by each function with pads; _Unwind_CallPersonality does its work.
int __gxx_wasm_personality_v0(int, int, uint64_t, void *, void *) { return CONTINUE; }

} // extern "C"
