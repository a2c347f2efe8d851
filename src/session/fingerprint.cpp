#include <pgweir/session/fingerprint.hpp>

#include <pgweir/session/state.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>

#include "sql_characters.hpp"
#include "sql_plain.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

namespace pgweir::session {

namespace {

using sql::load_word;
using sql::word_size;

std::uint64_t first_characters(std::uint64_t word, std::size_t count)
{
    return word & ~(~std::uint64_t{0} << count * 8);
}

// Up to sixteen characters, zeros behind them.
struct Chunk {
    std::uint64_t front = 0;
    std::uint64_t back = 0;

    [[nodiscard]] sql::Block block() const
    {
        using Words [[gnu::vector_size(16)]] = std::uint64_t;
        Words words{front, back};
        if constexpr (std::endian::native == std::endian::big) {
            words = Words{__builtin_bswap64(front), __builtin_bswap64(back)};
        }
        return std::bit_cast<sql::Block>(words);
    }
};

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

struct Text {
    const char* start;
    const char* end;
};

bool is_in_word(Text text, const char* at)
{
    return at != text.start && sql::is(at[-1], sql::word);
}

bool goes_on_number(const char* at, const char* end)
{
    return at != end && (sql::is(*at, sql::word) || *at == '.');
}

[[gnu::noinline]] const char* skip_number(const char* at, const char* end)
{
    while (goes_on_number(at, end)) ++at;
    return at;
}

// All that follow return the place behind it. Null: there is none at `at`.

[[gnu::noinline]] const char* skip_string(Text text, const char* at)
{
    const bool has_escapes = at != text.start && sql::lower(at[-1]) == 'e';
    const char* const behind = has_escapes ? sql::skip_escape_string(at + 1, text.end)
                                           : sql::skip_quoted(at + 1, text.end, '\'');
    return behind != nullptr ? behind : text.end;
}

[[gnu::noinline]] const char* skip_dollar(Text text, const char* at)
{
    const char* const body = is_in_word(text, at) ? nullptr : sql::skip_dollar_tag(at, text.end);
    if (body == nullptr) return nullptr;
    const char* const behind = sql::skip_dollar_string(at, body, text.end);
    return behind != nullptr ? behind : text.end;
}

const char* skip_any_string(Text text, const char* at)
{
    if (*at == '\'') return skip_string(text, at);
    return *at == '$' ? skip_dollar(text, at) : nullptr;
}

const char* skip_literal(Text text, const char* at)
{
    if (sql::is(*at, sql::digit) && !is_in_word(text, at)) return skip_number(at, text.end);
    return skip_any_string(text, at);
}

// One more of a list.
const char* skip_listed(Text text, const char* at)
{
    const char* const comma = sql::skip_blanks(at, text.end);
    if (comma == text.end || *comma != ',') return nullptr;
    const char* const next = sql::skip_blanks(comma + 1, text.end);
    return next == text.end ? nullptr : skip_literal(text, next);
}

[[gnu::noinline]] const char* skip_list(Text text, const char* at)
{
    while (const char* const behind = skip_listed(text, at)) at = behind;
    return at;
}

// Sixteen characters at once, up to one at which something may begin that does not count. What is
// between two of these is mixed in words of its own, so that their lengths do not matter.
class Reader {
public:
    Reader(std::string_view sql, bool may_be_plain)
        : text_{sql.data(), sql.data() + sql.size()}, at_{sql.data()}, is_plain_{may_be_plain}
    {
    }

    [[gnu::always_inline]] Glance read()
    {
        bool is_near_stop = false;
        for (;;) {
            if (!is_near_stop) read_blocks();
            if (at_ == text_.end) return {mixer_.result(), is_plain_};
            is_near_stop = read_part();
        }
    }

private:
    // Literals, comments and calls begin with one from '$' to '9', another statement with ';'.
    static sql::Block stops_in(sql::Block block) { return sql::in_range(block, '$', ';'); }

    // Nearly all of most statements.
    void read_blocks()
    {
        for (; left() >= sql::block_size; at_ += sql::block_size) {
            const sql::Block block = sql::block_at(at_);
            const sql::Block stops = stops_in(block);
            const unsigned found = sql::bits_of(stops | (block == '_'));
            if (found != 0) {
                if (sql::bits_of(stops) != 0) return;
                look_at_names(found);
            }
            mixer_.add(load_word(at_));
            mixer_.add(load_word(at_ + word_size));
        }
    }

    // Up to a character that may begin something, and what it begins; or all of a block. True:
    // perhaps there is another one close behind.
    bool read_part()
    {
        const Chunk chunk = left() >= sql::block_size
                                ? Chunk{load_word(at_), load_word(at_ + word_size)}
                                : last_chunk();
        const sql::Block block = chunk.block();
        const unsigned stops = sql::bits_of(stops_in(block));
        look_at_names(sql::bits_of(block == '_') & (stops - 1) & ~stops);
        if (stops == 0) {
            mixer_.add(chunk.front);
            if (left() > word_size) mixer_.add(chunk.back);
            at_ += std::min(left(), sql::block_size);
            return false;
        }
        const auto place = static_cast<unsigned>(std::countr_zero(stops));
        if (place > 0) mix_first(chunk, place);
        at_ += place;
        const unsigned digits = sql::bits_of(sql::in_range(block, '0', '9')) >> place;
        stop(static_cast<unsigned>(std::countr_one(digits)));
        return (stops & (stops - 1)) != 0;
    }

    void mix_first(const Chunk& chunk, std::size_t size)
    {
        if (size < word_size) return mixer_.add(first_characters(chunk.front, size));
        mixer_.add(chunk.front);
        if (size > word_size) mixer_.add(first_characters(chunk.back, size - word_size));
    }

    // Names pg_… are not plain. One may look back: a plain SELECT does not begin with a name.
    void look_at_names(unsigned underscores)
    {
        if (!is_plain_) return;
        for (; underscores != 0; underscores &= underscores - 1) {
            const char* const at = at_ + static_cast<unsigned>(std::countr_zero(underscores));
            if ((at[-1] | ' ') == 'g' && (at[-2] | ' ') == 'p') is_plain_ = false;
        }
    }

    [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(text_.end - at_); }

    [[nodiscard]] Chunk last_chunk() const
    {
        const auto size = static_cast<std::size_t>(text_.end - text_.start);
        if (size < word_size) return {small_word(), 0};
        const std::uint64_t last = load_word(text_.end - word_size);
        if (left() <= word_size) return {last >> (word_size - left()) * 8, 0};
        return {load_word(at_), last >> (sql::block_size - left()) * 8};
    }

    [[nodiscard]] std::uint64_t small_word() const
    {
        std::uint64_t characters = 0;
        for (const char* at = text_.end; at != at_; --at) {
            characters = characters << 8U | sql::index_of(at[-1]);
        }
        return characters;
    }

    // At a character that may begin something; so many digits are here, at least.
    void stop(unsigned digits)
    {
        const char* behind = at_ + digits;
        if (digits == 0 || is_in_word(text_, at_)) {
            behind = skip_any_string(text_, at_);
            if (behind == nullptr) return no_literal();
            skip_to(behind);
        } else if (goes_on_number(behind, text_.end)) {
            skip_to(skip_number(behind, text_.end));
        } else {
            at_ = behind;
        }
        mixer_.add(literal_mark);
        if (at_ != text_.end) skip_to(skip_list(text_, at_));
    }

    void no_literal()
    {
        if (sql::starts_comment(at_, text_.end)) return skip_to(sql::skip_comment(at_, text_.end));
        if (*at_ == '(' || *at_ == ';') is_plain_ = false;
        mixer_.add(sql::index_of(*at_++));
    }

    // What does not count may still not be plain.
    void skip_to(const char* behind)
    {
        if (behind == at_) return;
        if (is_plain_)
            is_plain_ = !sql::has_notable(sql::between(at_ - sql::name_front_size, behind));
        at_ = behind;
    }

    static constexpr std::uint64_t literal_mark = 0xffff;

    Text text_;
    const char* at_;
    Mixer mixer_;
    bool is_plain_; // a SELECT: nothing was seen so far that is not
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
    const NamedStatement* const named = client.statements ? client.statements->look_up(name)
                                                          : nullptr;
    return named != nullptr ? named->statement->fingerprint() : fingerprint(name);
}

std::uint64_t parsed_fingerprint(Bytes body)
{
    const std::size_t name_size = text_until_null(body).size();
    if (body.size() <= name_size) return fingerprint({});
    return fingerprint(text_until_null(body.subspan(name_size + 1)));
}

Glance glance_at_message(const ClientState& client, Bytes input)
{
    namespace client_type = wire::client_type;
    if (input.size() < wire::frame_header_size) return glance_at({});
    const char type = std::to_integer<char>(input.front());
    const std::size_t frame_size = load_be32(&input[1]) + std::size_t{1};
    const bool is_whole = frame_size <= input.size() && frame_size >= wire::frame_header_size;
    const Bytes body = (is_whole ? input.first(frame_size) : input)
                           .subspan(wire::frame_header_size);
    if (type == client_type::query) {
        std::string_view text = as_text(body);
        if (text.ends_with('\0')) text.remove_suffix(1);
        Glance glance = glance_at(text);
        if (!is_whole) glance.is_plain_select = false;
        return glance;
    }
    if (type == client_type::bind) return {bound_fingerprint(client, body)};
    if (type == client_type::parse) return {parsed_fingerprint(body)};
    return glance_at({&type, 1});
}

} // namespace

Glance glance_at(std::string_view sql)
{
    constexpr std::size_t front_size = 2'048;
    const bool may_be_plain = sql.size() <= front_size && sql::begins_as_select(sql);
    if (sql.ends_with(';')) sql.remove_suffix(1);
    return Reader{sql.substr(0, front_size), may_be_plain}.read();
}

std::uint64_t fingerprint(std::string_view sql) { return glance_at(sql).fingerprint; }

Glance glance_at_transaction(const ClientState& client, Bytes input)
{
    constexpr std::uint64_t behind_begin = 0x5851f42d4c957f2d; // any number
    Glance glance = glance_at_message(client, input);
    if (client.block) {
        glance.fingerprint = (glance.fingerprint ^ behind_begin) | std::uint64_t{1} << 63U;
    }
    return glance;
}

} // namespace pgweir::session
