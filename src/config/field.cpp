#include <pgweir/config/field.hpp>

#include <pgweir/base/assert.hpp>
#include <pgweir/config/address.hpp>
#include <pgweir/config/files.hpp>
#include <pgweir/config/suggest.hpp>
#include <pgweir/config/units.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

namespace pgweir::config {

namespace {

template <class Enum>
struct Word {
    Enum value;
    std::string_view name;
};

constexpr std::array mode_words{
    Word{pool::Mode::transaction, "transaction"},
    Word{pool::Mode::session, "session"},
    Word{pool::Mode::statement, "statement"},
};
constexpr std::array tls_mode_words{
    Word{net::TlsMode::disable, "disable"},
    Word{net::TlsMode::allow, "allow"},
    Word{net::TlsMode::prefer, "prefer"},
    Word{net::TlsMode::require, "require"},
    Word{net::TlsMode::verify_ca, "verify-ca"},
    Word{net::TlsMode::verify_full, "verify-full"},
};
constexpr std::array pin_words{
    Word{pool::Pin::automatic, "auto"},
    Word{pool::Pin::never, "never"},
    Word{pool::Pin::error, "error"},
};
constexpr std::array fair_by_words{
    Word{pool::FairBy::none, "none"},
    Word{pool::FairBy::application_name, "application_name"},
    Word{pool::FairBy::address, "address"},
};
constexpr std::array method_words{
    Word{auth::Method::trust, "trust"},
    Word{auth::Method::password, "password"},
    Word{auth::Method::md5, "md5"},
    Word{auth::Method::scram_sha_256, "scram-sha-256"},
};
constexpr std::array log_level_words{
    Word{LogLevel::debug, "debug"},
    Word{LogLevel::info, "info"},
    Word{LogLevel::warning, "warning"},
    Word{LogLevel::error, "error"},
};
constexpr std::array log_format_words{
    Word{LogFormat::text, "text"},
    Word{LogFormat::json, "json"},
};

constexpr auto& words_of(const pool::Mode* /*type*/) { return mode_words; }
constexpr auto& words_of(const pool::Pin* /*type*/) { return pin_words; }
constexpr auto& words_of(const pool::FairBy* /*type*/) { return fair_by_words; }
constexpr auto& words_of(const net::TlsMode* /*type*/) { return tls_mode_words; }
constexpr auto& words_of(const auth::Method* /*type*/) { return method_words; }
constexpr auto& words_of(const LogLevel* /*type*/) { return log_level_words; }
constexpr auto& words_of(const LogFormat* /*type*/) { return log_format_words; }

template <class Enum>
std::vector<std::string> names_of(const Enum* type)
{
    std::vector<std::string> names;
    for (const auto& word : words_of(type)) names.emplace_back(word.name);
    return names;
}

std::vector<std::string> tls_versions() { return {"TLSv1.2", "TLSv1.3"}; }

std::string join_with_or(std::span<const std::string> names)
{
    std::string out;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
        out += names[i];
    }
    return out;
}

std::string join_with_commas(std::span<const std::string> names)
{
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
    return out;
}

// The text of a value, if text is what was written.
const std::string* text_of(const Value& value)
{
    if (const auto* untyped = std::get_if<Untyped>(&value)) return &untyped->text;
    return std::get_if<std::string>(&value);
}

std::string bound(const Rule& rule, std::uint64_t value)
{
    if (rule.kind == Kind::size) return format_size(value);
    if (rule.kind == Kind::duration) {
        return format_duration(std::chrono::milliseconds{static_cast<std::int64_t>(value)});
    }
    return std::to_string(value);
}

std::string out_of_range(const Rule& rule, const std::string& given)
{
    return "must be between " + bound(rule, rule.low) + " and " + bound(rule, rule.high) + ", is "
           + given;
}

struct Numeric {
    std::uint64_t value; // the largest there is for what does not fit
    std::string given;
};

std::optional<Numeric> parse_number(const Value& value, int base)
{
    const auto* untyped = std::get_if<Untyped>(&value);
    const auto* string = base == 8 ? text_of(value) : untyped ? &untyped->text : nullptr;
    if (string == nullptr) return std::nullopt;
    std::uint64_t number = 0;
    const char* const end = string->data() + string->size();
    const auto [rest, error] = std::from_chars(string->data(), end, number, base);
    if (error == std::errc::invalid_argument || rest != end) return std::nullopt;
    if (error != std::errc{}) number = std::numeric_limits<std::uint64_t>::max();
    return Numeric{number, *string};
}

std::optional<Numeric> read_numeric(const Rule& rule, const Value& value)
{
    const auto* integer = std::get_if<std::int64_t>(&value);
    // 0770 is no integer in TOML and 770 another number: only the text says what was meant.
    if (rule.kind == Kind::octal) return parse_number(value, 8);
    if (integer != nullptr && *integer >= 0) {
        return Numeric{static_cast<std::uint64_t>(*integer), std::to_string(*integer)};
    }
    if (integer != nullptr) {
        return Numeric{std::numeric_limits<std::uint64_t>::max(), std::to_string(*integer)};
    }
    if (rule.kind == Kind::number) return parse_number(value, 10);

    const std::string* const text = text_of(value);
    const auto size = text == nullptr ? std::nullopt : parse_size(*text);
    if (!size) return std::nullopt;
    return Numeric{*size, *text};
}

std::string must_be_numeric(Kind kind)
{
    if (kind == Kind::octal) return R"(must be an octal string such as "0770")";
    if (kind == Kind::size) return R"(must be a size such as "64KiB", "16MiB" or "1GiB")";
    return "must be a whole number";
}

std::string set(std::uint32_t* out, const Rule& rule, const Entry& entry)
{
    const auto numeric = read_numeric(rule, entry.value);
    if (!numeric) return must_be_numeric(rule.kind);
    if (numeric->value < rule.low || numeric->value > rule.high) {
        if (rule.kind == Kind::octal) return R"(must be between "0000" and "0777")";
        return out_of_range(rule, numeric->given);
    }
    *out = static_cast<std::uint32_t>(numeric->value);
    return {};
}

std::string set(std::optional<std::uint32_t>* out, const Rule& rule, const Entry& entry)
{
    const std::string* const text = text_of(entry.value);
    if (text != nullptr && *text == "auto") {
        out->reset();
        return {};
    }
    std::uint32_t number = 0;
    if (!read_numeric(rule, entry.value)) return R"(must be "auto" or a whole number)";
    std::string problem = set(&number, rule, entry);
    if (problem.empty()) *out = number;
    return problem;
}

std::string set(Duration* out, const Rule& rule, const Entry& entry)
{
    const auto* integer = std::get_if<std::int64_t>(&entry.value);
    const std::string zero = "0"; // the only number whose unit does not matter
    const std::string* const text = integer != nullptr && *integer == 0 ? &zero
                                                                        : text_of(entry.value);
    const auto duration = text == nullptr ? std::nullopt : parse_duration(*text);
    if (!duration) return R"(must be a duration such as "500ms", "5s", "1min", "1h" or "1d")";

    const std::chrono::milliseconds low{rule.low};
    const std::chrono::milliseconds high{rule.high};
    if (*duration < low || *duration > high) return out_of_range(rule, *text);
    *out = *duration;
    return {};
}

std::string set(bool* out, const Rule& /*rule*/, const Entry& entry)
{
    constexpr std::array yes{"true", "on", "yes", "1"};
    constexpr std::array no{"false", "off", "no", "0"};

    if (const auto* flag = std::get_if<bool>(&entry.value)) {
        *out = *flag;
        return {};
    }
    const auto* untyped = std::get_if<Untyped>(&entry.value);
    const bool is_yes = untyped != nullptr && std::ranges::find(yes, untyped->text) != yes.end();
    const bool is_no = untyped != nullptr && std::ranges::find(no, untyped->text) != no.end();
    if (!is_yes && !is_no) return "must be true or false";
    *out = is_yes;
    return {};
}

std::string must_be_one_of(std::span<const std::string> names, const std::string* given)
{
    const std::string must = "must be " + join_with_or(names);
    return given == nullptr ? must : must + ", is \"" + *given + '"';
}

std::string set(std::string* out, const Rule& rule, const Entry& entry)
{
    const std::string* const text = text_of(entry.value);
    if (text == nullptr) return "must be a string";
    // It ends up in a message of the protocol, or in a system call: both stop at a zero byte.
    if (text->find('\0') != text->npos) return "must not contain a zero byte";

    const auto versions = tls_versions();
    if (rule.kind == Kind::tls_version && std::ranges::find(versions, *text) == versions.end()) {
        return must_be_one_of(versions, text);
    }
    if (rule.kind == Kind::address && !text->empty()) {
        const auto address = parse_address(*text);
        if (!address || address->host.empty()) {
            return R"(must be an address such as "127.0.0.1:9930" or "[::1]:9930", or "" for none)";
        }
    }
    const bool is_relative = rule.kind == Kind::path && *text != "system";
    *out = is_relative ? resolve_path(*text, entry.place.directory) : *text;
    return {};
}

std::optional<std::vector<std::string>> read_list(const Value& value)
{
    if (const auto* untyped = std::get_if<Untyped>(&value)) return split_list(untyped->text);
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    return list == nullptr ? std::nullopt : std::optional{*list};
}

std::string set(std::vector<std::string>* out, const Rule& /*rule*/, const Entry& entry)
{
    auto list = read_list(entry.value);
    if (!list) return R"(must be a list of strings such as ["alice", "bob"])";
    if (std::ranges::find(*list, "") != list->end()) return "must not contain an empty name";
    *out = std::move(*list);
    return {};
}

std::string set(std::vector<net::ListenAddress>* out, const Rule& /*rule*/, const Entry& entry)
{
    const auto list = read_list(entry.value);
    if (!list) return R"(must be a list of strings such as ["127.0.0.1:6432", "/run/pgweir"])";
    if (list->empty()) return "must name at least one address";

    std::vector<net::ListenAddress> addresses;
    for (const std::string& item : *list) {
        const auto address = parse_address(item);
        if (!address) {
            return '"' + item + R"(" is not an address such as "127.0.0.1:6432", )"
                   + R"("[::1]:6432" or "/run/pgweir")";
        }
        addresses.push_back(*address);
    }
    *out = std::move(addresses);
    return {};
}

template <class Enum>
std::string set(Enum* out, const Rule& /*rule*/, const Entry& entry)
{
    const std::string* const text = text_of(entry.value);
    const auto& words = words_of(out);
    const auto word = std::ranges::find_if(words, [text](const Word<Enum>& w) {
        return text != nullptr && w.name == *text;
    });
    if (word == words.end()) return must_be_one_of(names_of(out), text);
    *out = word->value;
    return {};
}

std::string octal(std::uint32_t value)
{
    std::array<char, 12> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value, 8);
    PGWEIR_ASSERT(error == std::errc{});
    return "0" + std::string{digits.data(), end};
}

std::string get(const std::uint32_t* value, const Rule& rule)
{
    if (rule.kind == Kind::octal) return octal(*value);
    return bound(rule, *value);
}

std::string get(const std::optional<std::uint32_t>* value, const Rule& rule)
{
    return *value ? bound(rule, **value) : "auto";
}

std::string get(const Duration* value, const Rule& /*rule*/) { return format_duration(*value); }

std::string get(const bool* value, const Rule& /*rule*/) { return *value ? "true" : "false"; }

std::string get(const std::string* value, const Rule& rule)
{
    const bool hidden = rule.kind == Kind::secret || rule.kind == Kind::upstream_url;
    return hidden && !value->empty() ? "********" : *value;
}

std::string get(const std::vector<std::string>* value, const Rule& /*rule*/)
{
    return join_with_commas(*value);
}

std::string get(const std::vector<net::ListenAddress>* value, const Rule& /*rule*/)
{
    std::vector<std::string> addresses;
    for (const auto& address : *value) addresses.push_back(format_address(address));
    return join_with_commas(addresses);
}

template <class Enum>
std::string get(const Enum* value, const Rule& /*rule*/)
{
    const auto& words = words_of(value);
    const auto word = std::ranges::find(words, *value, &Word<Enum>::value);
    PGWEIR_ASSERT(word != words.end());
    return std::string{word->name};
}

template <class Enum>
std::string choices(const Enum* type)
{
    if constexpr (requires { words_of(type); }) {
        return join_with_or(names_of(type));
    } else {
        return {};
    }
}

} // namespace

std::string assign(Field field, const Rule& rule, const Entry& entry)
{
    return std::visit([&](auto* out) { return set(out, rule, entry); }, field);
}

std::string show(Field field, const Rule& rule)
{
    return std::visit([&](const auto* value) { return get(value, rule); }, field);
}

void copy(Field from, Field to)
{
    std::visit(
        [&to]<class Member>(Member* source) {
            Member** const target = std::get_if<Member*>(&to);
            PGWEIR_ASSERT(target != nullptr);
            **target = *source;
        },
        from
    );
}

std::string describe_range(Field field, const Rule& rule)
{
    if (rule.kind == Kind::tls_version) return join_with_or(tls_versions());
    if (rule.kind == Kind::flag) return "true or false";
    if (rule.kind == Kind::octal) return "0000 to 0777";
    const bool may_be_auto = std::holds_alternative<std::optional<std::uint32_t>*>(field);
    const std::string front = may_be_auto ? "auto, or " : "";
    if (rule.high > 0) return front + bound(rule, rule.low) + " to " + bound(rule, rule.high);
    return std::visit([](const auto* type) { return choices(type); }, field);
}

} // namespace pgweir::config
