#include <pgweir/pool/grouping.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <functional>

namespace pgweir::pool {

namespace {

constexpr std::size_t ipv4_bits = 32;
constexpr std::size_t ipv6_bits = 128;

template <class Number>
std::optional<Number> read_number(std::string_view text, Number low, Number high)
{
    Number number{};
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_number = error == std::errc{} && rest == text.data() + text.size();
    if (!is_number || number < low || number > high) return std::nullopt;
    return number;
}

template <class Bytes>
bool has_prefix(const Bytes& address, const Bytes& prefix, std::size_t bits)
{
    constexpr std::size_t byte = 8;
    if (!std::equal(prefix.begin(), prefix.begin() + bits / byte, address.begin())) return false;
    if (bits % byte == 0) return true;
    const unsigned differ = static_cast<unsigned>(address[bits / byte]) ^ prefix[bits / byte];
    return differ >> (byte - bits % byte) == 0;
}

} // namespace

Grouping::Grouping(const Options& options) : by_{options.fair_by}
{
    for (const std::string& entry : options.fair_weights) {
        if (auto weight = read(entry, by_)) weights_.push_back(std::move(*weight));
    }
    std::ranges::stable_sort(weights_, [](const Weight& one, const Weight& other) {
        return one.prefix > other.prefix;
    });
}

Group Grouping::group_of(std::string_view name) const
{
    if (by_ == FairBy::none) return {};
    const std::uint64_t hash = std::hash<std::string_view>{}(name);
    const auto folded = static_cast<std::uint32_t>(hash ^ (hash >> 32));
    return {GroupId{std::max(folded, 1U)}, weight_of(name)};
}

std::uint32_t Grouping::weight_of(std::string_view name) const
{
    if (weights_.empty()) return 1;
    const auto address = by_ == FairBy::address ? read_address(name) : std::nullopt;
    for (const Weight& weight : weights_) {
        const bool fits = weight.prefix
                              ? address && has_prefix(*address, weight.address, *weight.prefix)
                              : name == weight.name;
        if (fits) return weight.weight;
    }
    return 1;
}

std::optional<Grouping::AddressBytes> Grouping::read_address(std::string_view text)
{
    const std::string copy{text};
    AddressBytes bytes{};
    if (::inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) return bytes;
    bytes = {};
    bytes[10] = bytes[11] = 0xff;
    if (::inet_pton(AF_INET, copy.c_str(), &bytes[12]) == 1) return bytes;
    return std::nullopt;
}

// "10.0.0.0/8", "2001:db8::1", or "unix", who has none.
bool Grouping::read_prefix(Weight& weight)
{
    if (weight.name == "unix") return true;
    const std::size_t slash = weight.name.find('/');
    const std::string text = weight.name.substr(0, slash);
    const auto address = read_address(text);
    if (!address) return false;
    weight.address = *address;
    const std::size_t most = text.find(':') == text.npos ? ipv4_bits : ipv6_bits;
    std::size_t bits = most;
    if (slash != weight.name.npos) {
        const auto read = read_number(weight.name.substr(slash + 1), std::size_t{0}, most);
        if (!read) return false;
        bits = *read;
    }
    weight.prefix = ipv6_bits - most + bits;
    return true;
}

std::optional<Grouping::Weight> Grouping::read(std::string_view entry, FairBy by)
{
    const std::size_t equals = entry.rfind('='); // a name may have one of its own
    if (equals == 0 || equals == entry.npos) return std::nullopt;
    const auto number = read_number(entry.substr(equals + 1), std::uint32_t{1}, weight_max);
    if (!number) return std::nullopt;
    Weight weight;
    weight.name = entry.substr(0, equals);
    weight.weight = *number;
    if (by == FairBy::address && !read_prefix(weight)) return std::nullopt;
    return weight;
}

std::string problem_in_weights(const Options& options)
{
    std::vector<std::string> names;
    for (const std::string& entry : options.fair_weights) {
        const auto weight = Grouping::read(entry, options.fair_by);
        if (!weight) {
            std::string problem = "each must be ";
            problem += options.fair_by == FairBy::address
                           ? R"(an address or prefix and its weight, 1 to 1000, )"
                             R"(such as "10.1.0.0/16=4" or "unix=2")"
                           : R"(a name and its weight, 1 to 1000, such as "batch=1")";
            return problem.append(", is \"").append(entry).append("\"");
        }
        if (std::ranges::find(names, weight->name) != names.end()) {
            return "must name each once, has \"" + weight->name + "\" twice";
        }
        names.push_back(weight->name);
    }
    return {};
}

} // namespace pgweir::pool
