// words.cc: the C++ library at work: streams, containers, algorithms, virtual
// calls, variants. Reads text from a file or standard input; what it prints does
// not depend on whose library it is. (Debian's libc++ for wasm32 has no <fstream>.)
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

using Counts = std::map<std::string, unsigned>;

Counts count(std::istream &in) {
    std::unordered_map<std::string, unsigned> seen;
    for (std::string word; in >> word;) {
        word.erase(std::remove_if(word.begin(), word.end(), [](unsigned char c) { return !std::isalnum(c); }), word.end());
        std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
        if (!word.empty()) seen[word]++;
    }
    return Counts(seen.begin(), seen.end());
}

void most(const Counts &counts, size_t n) {
    std::vector<std::pair<std::string, unsigned>> v(counts.begin(), counts.end());
    std::stable_sort(v.begin(), v.end(), [](auto &a, auto &b) { return a.second > b.second; });
    v.resize(std::min(n, v.size()));
    for (auto &[word, k] : v) std::cout << std::left << std::setw(16) << word << std::right << std::setw(6) << k << '\n';
}

void lengths(const Counts &counts) {
    std::map<size_t, std::set<std::string>> by;
    for (auto &c : counts) by[c.first.size()].insert(c.first);
    for (auto &[n, words] : by)
        std::cout << std::setfill('.') << std::setw(3) << n << std::setfill(' ') << ' ' << words.size() << ' ' << *words.begin() << '\n';
}

struct Shape {
    virtual ~Shape() = default;
    virtual double area() const = 0;
    virtual std::string name() const { return "shape"; }
};
struct Square : Shape {
    double side;
    explicit Square(double s) : side(s) {}
    double area() const override { return side * side; }
    std::string name() const override { return "square"; }
};
struct Disc : Shape {
    double radius;
    explicit Disc(double r) : radius(r) {}
    double area() const override { return 3.14159265358979 * radius * radius; }
};

void shapes() {
    std::vector<std::unique_ptr<Shape>> all;
    for (int k = 1; k < 6; k++)
        if (k % 2) all.push_back(std::make_unique<Square>(k));
        else all.push_back(std::make_unique<Disc>(k / 2.0));
    for (auto &s : all) {
        std::cout << s->name() << ' ' << std::fixed << std::setprecision(4) << s->area();
        if (auto *q = dynamic_cast<Square *>(s.get())) std::cout << " side " << std::setprecision(1) << q->side;
        std::cout << '\n';
    }
    std::cout << std::defaultfloat << std::setprecision(10)
              << std::accumulate(all.begin(), all.end(), 0.0, [](double a, auto &s) { return a + s->area(); }) << '\n';
}

using Value = std::variant<long, double, std::string>;

Value parse(const std::string &text) {
    std::istringstream in(text);
    long n;
    double d;
    if (in >> n && in.eof()) return n;
    in.clear();
    in.str(text);
    if (in >> d && in.eof()) return d;
    return text;
}

std::optional<std::string> year(const std::string &text) {
    static const std::regex four("\\b(1[0-9]{3}|20[0-9]{2})\\b");
    std::smatch m;
    if (!std::regex_search(text, m, four)) return std::nullopt;
    return m[1].str();
}

void values() {
    for (const char *t : {"42", "-7", "3.25", "1e3", "12x", "", "made in 1987, sold in 2003"}) {
        Value v = parse(t);
        std::cout << v.index() << ' ';
        std::visit([](auto &x) { std::cout << std::quoted((std::ostringstream() << x).str()); }, v);
        std::cout << ' ' << year(t).value_or("no year") << '\n';
    }
    std::cout << std::hex << std::showbase << 48879 << std::dec << std::noshowbase << ' ' << std::boolalpha << true << ' '
              << std::scientific << 12345.678 << std::defaultfloat << '\n';
}

std::optional<std::string> read(const char *path) {
    std::unique_ptr<FILE, int (*)(FILE *)> f(std::fopen(path, "r"), std::fclose);
    std::string all;
    char part[1000];
    if (!f) return std::nullopt;
    while (size_t n = std::fread(part, 1, sizeof part, f.get())) all.append(part, n);
    return all;
}

std::function<unsigned(unsigned)> collatz = [](unsigned n) { return n == 1 ? 0 : 1 + collatz(n % 2 ? 3 * n + 1 : n / 2); };

} // namespace

int main(int argc, char **argv) {
    std::istringstream file;
    if (argc > 1) {
        auto text = read(argv[1]);
        if (!text) {
            std::cerr << argv[0] << ": cannot open " << argv[1] << '\n';
            return 3;
        }
        file.str(*text);
    }
    Counts counts = count(argc > 1 ? static_cast<std::istream &>(file) : std::cin);
    std::cout << counts.size() << " words\n";
    most(counts, 12);
    lengths(counts);
    shapes();
    values();
    for (unsigned n : {1u, 7u, 27u, 97u}) std::cout << collatz(n) << (n == 97 ? '\n' : ' ');
    std::cout.flush();
    return std::cout ? 0 : 1;
}
