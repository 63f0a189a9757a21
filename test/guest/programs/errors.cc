// errors.cc: C++ exceptions: by value, base, pointer and reference; thrown on,
// nested, out of constructors; destructors in their order; deep, and many.
#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Noisy {
    std::string name;
    explicit Noisy(std::string n) : name(std::move(n)) { std::printf("+%s ", name.c_str()); }
    Noisy(const Noisy &o) : name(o.name + "'") { std::printf("+%s ", name.c_str()); }
    ~Noisy() { std::printf("-%s ", name.c_str()); }
};

struct Base {
    int pad = 1;
    virtual ~Base() = default;
    virtual const char *what() const { return "base"; }
};
struct Other {
    long more[3] = {7, 8, 9};
    virtual ~Other() = default;
};
struct Derived : Other, virtual Base {
    int code;
    explicit Derived(int c) : code(c) {}
    const char *what() const override { return "derived"; }
};
struct Private : private Base {};

enum class Colour { red, blue };

[[gnu::noinline]] void raise(int kind) {
    Noisy n("raise" + std::to_string(kind));
    static Derived kept(42);
    switch (kind) {
    case 0: throw 7;
    case 1: throw Derived(5);
    case 2: throw std::out_of_range("range");
    case 3: throw &kept;
    case 4: throw "text";
    case 5: throw Colour::blue;
    case 6: throw Private();
    case 7: throw Noisy("object");
    case 8: throw static_cast<const Base *>(nullptr);
    case 9: std::vector<int>(3).at(5); break;
    case 10: std::map<int, int>().at(1); break;
    case 11: throw std::string(1000, 's');
    default: std::printf("none ");
    }
}

void one(int kind) {
    try {
        try {
            Noisy n("one");
            raise(kind);
        } catch (const char *s) {
            std::printf("[%s] ", s);
        } catch (long) {
            std::printf("[long: wrong] ");
        }
        std::printf("through ");
    } catch (int n) {
        std::printf("[int %d] ", n);
    } catch (const std::runtime_error &) {
        std::printf("[runtime: wrong] ");
    } catch (const std::exception &e) {
        std::printf("[%s] ", dynamic_cast<const std::out_of_range *>(&e) ? "out of range" : e.what());
    } catch (const Base &b) {
        std::printf("[%s %d] ", b.what(), b.pad);
    } catch (const Base *b) {
        std::printf("[* %s] ", b ? b->what() : "null");
    } catch (Colour c) {
        std::printf("[colour %d] ", static_cast<int>(c));
    } catch (Noisy n) {
        std::printf("[%s] ", n.name.c_str());
    } catch (...) {
        std::printf("[...] ");
    }
    std::printf("\n");
}

struct Member {
    Noisy a{"a"}, b{"b"};
    Noisy c;
    explicit Member(bool fails) : c(fails ? throw 3 : "c") {}
};

void built() {
    for (bool fails : {false, true}) try {
            auto m = std::make_unique<Member>(fails);
            std::printf("built ");
        } catch (int n) {
            std::printf("[%d]", n);
        }
    std::printf("\n");
}

void again() {
    try {
        try {
            throw Derived(1);
        } catch (Other &o) {
            std::printf("%ld ", o.more[2]);
            o.more[2] = 10;
            try {
                throw 5;
            } catch (int n) {
                std::printf("inner %d ", n);
            }
            throw;
        }
    } catch (Derived &d) {
        std::printf("again %ld ", d.more[2]);
        try {
            throw std::runtime_error("instead");
        } catch (std::exception &e) {
            std::printf("%s ", e.what());
        }
    }
    std::printf("\n");
}

[[gnu::noinline]] int deep(int n) {
    Noisy *quiet = nullptr;
    if (!n) throw 11;
    try {
        return deep(n - 1) + (quiet ? 1 : 0);
    } catch (char) {
        return 0;
    }
}

void many() {
    long sum = 0;
    for (int k = 0; k < 20000; k++) try {
            k % 2 ? throw k : throw std::string("even");
        } catch (int n) {
            sum += n;
        } catch (const std::string &s) {
            sum += static_cast<long>(s.size());
        }
    try {
        deep(500);
    } catch (int n) {
        sum += n;
    }
    std::printf("%ld\n", sum);
}

} // namespace

int main() {
    for (int kind = 0; kind <= 12; kind++) one(kind);
    built();
    again();
    many();
    return 0;
}
