#include <pgweir/session/fingerprint.hpp>

#include <pgweir/session/state.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>

#include "sql_blocks.hpp"
#include "sql_characters.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

namespace pgweir::session {

namespace {

constexpr std::size_t word_size = 8;

// The first character is the lowest byte.
std::uint64_t load_word(const char* at)
{
    std::uint64_t value = 0;
    std::memcpy(&value, at, word_size);
    if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
    return value;
}

// The highest bit of each byte from '$' to '9': literals and comments begin with one of these.
std::uint64_t may_begin_literal(std::uint64_t characters)
{
    constexpr std::uint64_t each = 0x0101010101010101;
    constexpr std::uint64_t high = 0x80 * each;
    const std::uint64_t low = characters & ~high;
    const std::uint64_t from_dollar = low + (0x80 - '$') * each;
    const std::uint64_t above_nine = low + (0x7f - '9') * each;
    return from_dollar & ~above_nine & ~characters & high;
}

// Some bit of each byte that is no digit.
std::uint64_t not_digits(std::uint64_t characters)
{
    constexpr std::uint64_t each = 0x0101010101010101;
    const std::uint64_t value = characters ^ '0' * each;
    return (value | ((value & (0x7f * each)) + 6 * each)) & (0xf0 * each);
}

// Which of them has one. As many as there are: none.
std::size_t first_byte(std::uint64_t bits)
{
    return static_cast<std::size_t>(std::countr_zero(bits)) / 8;
}

// Fibonacci hashing (Knuth, TAOCP 6.4), turned between two words: a product carries upward only.
class Mixer {
public:
    void add(std::uint64_t value) { state_ = std::rotl(state_ ^ value, 29) * 0x9e3779b97f4a7c15U; }
    [[nodiscard]] std::uint64_t result() const
    {
        return (state_ ^ state_ >> 32U) | std::uint64_t{1} << 63U;
    }

private:
    std::uint64_t state_ = 1;
};

class Reader {
public:
    explicit Reader(std::string_view sql)
        : start_{sql.data()}, at_{sql.data()}, end_{sql.data() + sql.size()}
    {
    }

    std::uint64_t read()
    {
        read_plain_blocks();
        while (at_ != end_) {
            const std::uint64_t characters = characters_at(at_);
            const std::uint64_t found = may_begin_literal(characters);
            const std::size_t left = std::min(word_size, static_cast<std::size_t>(end_ - at_));
            const std::size_t plain = found == 0 ? left : first_byte(found);
            at_ += plain;
            if (plain == word_size) {
                mixer_.add(characters);
                continue;
            }
            if (plain > 0) mixer_.add(characters & ~(~std::uint64_t{0} << plain * 8));
            if (found != 0) look();
        }
        return mixer_.result();
    }

private:
    // Nearly all of most statements.
    void read_plain_blocks()
    {
        while (static_cast<std::size_t>(end_ - at_) >= sql::block_size) {
            const sql::Block block = sql::block_at(at_);
            if (sql::any_of((block >= '$') & (block <= '9'))) return;
            mixer_.add(load_word(at_));
            mixer_.add(load_word(at_ + word_size));
            at_ += sql::block_size;
        }
    }

    // Zeros behind the end.
    [[nodiscard]] std::uint64_t characters_at(const char* at) const
    {
        const auto left = static_cast<std::size_t>(end_ - at);
        if (left >= word_size) return load_word(at);
        if (static_cast<std::size_t>(end_ - start_) >= word_size) {
            return load_word(end_ - word_size) >> (word_size - left) * 8;
        }
        std::uint64_t characters = 0;
        for (std::size_t i = 0; i < left; ++i) {
            characters |= std::uint64_t{sql::index_of(at[i])} << i * 8;
        }
        return characters;
    }

    void look()
    {
        if (const char* const behind = skip_literal(at_)) {
            literal(behind);
        } else if (sql::starts_comment(at_, end_)) {
            at_ = sql::skip_comment(at_, end_);
        } else {
            mixer_.add(sql::index_of(*at_++));
        }
    }

    void literal(const char* behind)
    {
        mixer_.add(literal_mark);
        at_ = behind;
        while (skip_listed()) {
        }
    }

    // One more of a list.
    bool skip_listed()
    {
        const char* const comma = sql::skip_blanks(at_, end_);
        if (comma == end_ || *comma != ',') return false;
        const char* const next = sql::skip_blanks(comma + 1, end_);
        const char* const behind = next == end_ ? nullptr : skip_literal(next);
        if (behind == nullptr) return false;
        at_ = behind;
        return true;
    }

    // The place behind it. Null: there is none at `at`.
    [[nodiscard]] const char* skip_literal(const char* at) const
    {
        switch (*at) {
        case '\'': return skip_string(at);
        case '$': return skip_dollar(at);
        default: break;
        }
        if (!sql::is(*at, sql::digit) || is_in_word(at)) return nullptr;
        const std::size_t digits = first_byte(not_digits(characters_at(at)));
        if (digits == word_size || is_in_number(at + digits)) return skip_number(at + digits);
        return at + digits;
    }

    [[nodiscard]] bool is_in_number(const char* at) const
    {
        return at != end_ && (sql::is(*at, sql::word) || *at == '.');
    }

    [[gnu::noinline]] [[nodiscard]] const char* skip_number(const char* at) const
    {
        while (is_in_number(at)) ++at;
        return at;
    }

    [[nodiscard]] const char* skip_string(const char* at) const
    {
        const bool has_escapes = at != start_ && sql::lower(at[-1]) == 'e';
        const char* const behind = has_escapes ? sql::skip_escape_string(at + 1, end_)
                                               : sql::skip_quoted(at + 1, end_, '\'');
        return behind != nullptr ? behind : end_;
    }

    [[nodiscard]] const char* skip_dollar(const char* at) const
    {
        const char* const body = is_in_word(at) ? nullptr : sql::skip_dollar_tag(at, end_);
        if (body == nullptr) return nullptr;
        const char* const behind = sql::skip_dollar_string(at, body, end_);
        return behind != nullptr ? behind : end_;
    }

    [[nodiscard]] bool is_in_word(const char* at) const
    {
        return at != start_ && sql::is(at[-1], sql::word);
    }

    static constexpr std::uint64_t literal_mark = 0xffff;

    const char* start_;
    const char* at_;
    const char* end_;
    Mixer mixer_;
};

std::string_view text_until_null(Bytes bytes)
{
    const std::string_view text = as_text(bytes);
    return text.substr(0, text.find('\0'));
}

// A statement that is executed by its name is what it was prepared as.
std::uint64_t bound_fingerprint(const ClientState& client, Bytes body)
{
    const std::size_t portal_size = text_until_null(body).size();
    if (body.size() <= portal_size) return fingerprint({});
    const std::string_view name = text_until_null(body.subspan(portal_size + 1));
    if (!client.statements) return fingerprint(name);
    const auto found = client.statements->find(name);
    return found != client.statements->end() ? found->second.statement->fingerprint()
                                             : fingerprint(name);
}

std::uint64_t message_fingerprint(const ClientState& client, char type, Bytes body)
{
    namespace client_type = wire::client_type;
    if (type == client_type::query) {
        std::string_view text = as_text(body);
        if (text.ends_with('\0')) text.remove_suffix(1);
        return fingerprint(text);
    }
    if (type == client_type::bind) return bound_fingerprint(client, body);
    if (type == client_type::parse) {
        const std::size_t name_size = text_until_null(body).size();
        if (body.size() <= name_size) return fingerprint({});
        return fingerprint(text_until_null(body.subspan(name_size + 1)));
    }
    return fingerprint({&type, 1});
}

} // namespace

std::uint64_t fingerprint(std::string_view sql)
{
    constexpr std::size_t front_size = 2'048;
    return Reader{sql.substr(0, front_size)}.read();
}

std::uint64_t transaction_fingerprint(const ClientState& client, Bytes input)
{
    constexpr std::uint64_t behind_begin = 0x5851f42d4c957f2d; // any number
    const auto header = wire::peek_header(input, wire::body_size_max);
    if (!header || !*header) return fingerprint({});
    const Bytes body = wire::body_of(**header, input);
    const std::uint64_t own = message_fingerprint(client, (**header).type, body);
    return client.block ? (own ^ behind_begin) | std::uint64_t{1} << 63U : own;
}

} // namespace pgweir::session
