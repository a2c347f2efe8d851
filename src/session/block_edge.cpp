#include <pgweir/session/block_edge.hpp>

#include <pgweir/session/sql_statement.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>

#include "sql_characters.hpp"

#include <algorithm>

namespace pgweir::session {

namespace client_type = wire::client_type;
using wire::frame_header_size;

namespace {

constexpr std::size_t text_size_max = 200;

// Words, commas and semicolons: no comment, quote or foreign character that could be wrong.
bool is_plain(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) {
        const char lower = sql::lower(c);
        const bool is_letter = lower >= 'a' && lower <= 'z';
        return is_letter || c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == ',' || c == ';';
    });
}

} // namespace

BlockEdge read_block_edge(std::string_view text)
{
    if (!is_plain(text)) return BlockEdge::none;
    SqlReader reader{text};
    const SqlStatement* const first = reader.next();
    if (first == nullptr) return BlockEdge::none;
    const SqlStatement statement = *first;
    if (statement.is_uncertain || reader.next() != nullptr) return BlockEdge::none;

    if (statement.command == Command::begin) {
        // A standby refuses these with BEGIN itself.
        if (statement.traits.has(Trait::needs_primary)) return BlockEdge::none;
        const bool is_start = sql::lower(statement.text.front()) == 's';
        return is_start ? BlockEdge::start_transaction : BlockEdge::begin;
    }
    if (statement.is_chained) return BlockEdge::none;
    if (statement.command == Command::commit) return BlockEdge::commit;
    return statement.command == Command::rollback ? BlockEdge::rollback : BlockEdge::none;
}

// By the size, and the first letters: most queries are SELECT, INSERT, UPDATE or DELETE.
bool may_be_block_edge(Bytes front)
{
    if (front.size() < frame_header_size + 2) return true;
    const char* const message = as_text(front).data();
    if (*message != client_type::query) return false;
    switch (message[frame_header_size]) {
    case 's':
    case 'S':
        if (sql::lower(message[frame_header_size + 1]) != 't') return false;
        break;
    case 'a':
    case 'A':
    case 'b':
    case 'B':
    case 'c':
    case 'C':
    case 'e':
    case 'E':
    case 'r':
    case 'R':
    case ' ':
    case '\n':
    case '\t':
    case '\r':
    case ';': break;
    default: return false;
    }
    return load_be32(&front[1]) <= text_size_max;
}

} // namespace pgweir::session
