#include <pgweir/session/sql_statement.hpp>

#include <pgweir/base/bytes.hpp>

#include "sql_characters.hpp"
#include "sql_heads.hpp"
#include "sql_scan.hpp"

namespace pgweir::session {

namespace {

using namespace sql;

struct Opening {
    Command command = Command::other;
    bool (*read_head)(SqlStatement&, Tokens&) = nullptr; // null: nothing more to know
};

constexpr std::uint64_t key_of(std::string_view word)
{
    std::uint64_t key = 0;
    for (const char c : word) key = key << 8U | static_cast<unsigned char>(c);
    return key;
}

std::uint64_t load_eight(const char* at)
{
    const auto* const bytes = reinterpret_cast<const std::byte*>(at);
    return std::uint64_t{load_be32(bytes)} << 32U | load_be32(bytes + 4);
}

// What key_of() gives for the word in lower case. At most eight letters.
std::uint64_t folded_key(const char* at, std::size_t size, const char* end)
{
    constexpr std::uint64_t upper_case_bits = 0x2020202020202020; // makes no letter of a non-letter
    const std::size_t rest_bits = 64 - 8 * size;
    const std::uint64_t key = end - at >= 8 ? load_eight(at) >> rest_bits : key_of({at, size});
    return key | upper_case_bits >> rest_bits;
}

Opening long_opening(std::string_view word)
{
    if (same_word(word, "deallocate")) return {Command::deallocate, read_deallocate};
    if (same_word(word, "savepoint")) return {Command::savepoint, read_savepoint};
    return {};
}

// clang-format off
Opening short_opening(std::uint64_t key)
{
    switch (key) {
    case key_of("select"):
    case key_of("values"):
    case key_of("table"):    return {Command::select, nullptr};
    case key_of("insert"):   return {Command::insert, nullptr};
    case key_of("update"):   return {Command::update, nullptr};
    case key_of("delete"):   return {Command::delete_rows, nullptr};
    case key_of("merge"):    return {Command::merge, nullptr};
    case key_of("copy"):     return {Command::copy, nullptr};
    case key_of("with"):     return {Command::with, nullptr};
    case key_of("set"):      return {Command::set, read_set};
    case key_of("reset"):    return {Command::reset, read_reset};
    case key_of("show"):     return {Command::show, read_show};
    case key_of("begin"):    return {Command::begin, read_begin};
    case key_of("start"):    return {Command::begin, read_start};
    case key_of("commit"):   return {Command::commit, read_commit};
    case key_of("end"):      return {Command::commit, read_end_of_block};
    case key_of("rollback"): return {Command::rollback, read_rollback};
    case key_of("abort"):    return {Command::rollback, read_end_of_block};
    case key_of("release"):  return {Command::release_savepoint, read_release};
    case key_of("prepare"):  return {Command::prepare, read_prepare};
    case key_of("execute"):  return {Command::execute, read_execute};
    case key_of("explain"):  return {Command::explain, read_explain};
    case key_of("listen"):   return {Command::listen, read_listen};
    case key_of("unlisten"): return {Command::unlisten, read_unlisten};
    case key_of("notify"):   return {Command::notify, read_notify};
    case key_of("declare"):  return {Command::declare, read_declare};
    case key_of("close"):    return {Command::close, read_close};
    case key_of("fetch"):
    case key_of("move"):     return {Command::fetch, read_fetch};
    case key_of("discard"):  return {Command::discard_all, read_discard};
    case key_of("load"):     return {Command::load, read_load};
    case key_of("create"):   return {Command::ddl, read_create};
    case key_of("alter"):    return {Command::ddl, read_alter};
    case key_of("drop"):     return {Command::ddl, read_drop};
    case key_of("do"):       return {Command::do_block, read_do};
    case key_of("call"):     return {Command::call, read_call};
    default:                 return {};
    }
}
// clang-format on

Opening opening_of(const char* start, const char* word_end, const char* end)
{
    const std::string_view first = between(start, word_end);
    if (first.empty()) return {*start == '(' ? Command::select : Command::other, nullptr};
    if (first.size() > 8) return long_opening(first);
    return short_opening(folded_key(start, first.size(), end));
}

} // namespace

SqlReader::SqlReader(std::string_view text, SqlOptions options)
    : at_{text.data()}, end_{text.data() + text.size()}, options_{options}
{
}

const SqlStatement* SqlReader::next()
{
    at_ = skip_blanks(at_, end_);
    while (at_ != end_ && *at_ == ';') at_ = skip_blanks(at_ + 1, end_);
    if (at_ == end_ && !options_.is_cut) return nullptr;

    const bool is_first = statement_.text.data() == nullptr;
    if (!is_first) statement_ = {};
    if (at_ != end_) read(at_);
    if (at_ == end_ && options_.is_cut) {
        statement_.is_uncertain = true;
        options_.is_cut = false; // it is told once
    }
    return &statement_;
}

// `rest` is what follows the first word. The lexer knows nothing of backslashes in plain strings:
// what they would lead it into is left unread.
const char* SqlReader::scan(const char* start, const char* rest, bool is_create)
{
    const bool has_inner = is_create && may_have_inner_statements(Tokens{between(rest, end_)});
    if (!has_inner) return Scan{start, end_, options_, statement_}.to_statement_end(rest);

    statement_.is_uncertain = options_.escapes_in_strings;
    const char* const end = options_.escapes_in_strings ? end_ : outer_end(between(start, end_));
    Scan{start, end, options_, statement_}.through(rest);
    return end;
}

void SqlReader::read(const char* start)
{
    const char* const rest = skip_word(start, end_);
    const Opening opening = opening_of(start, rest, end_);
    statement_.command = opening.command;
    statement_.text = between(start, end_); // as far as is known yet
    at_ = scan(start, rest, opening.read_head == read_create);

    const char* last = at_;
    while (is(last[-1], blank)) --last;
    statement_.text = between(start, last);
    if (opening.command == Command::update && statement_.traits.has(Trait::reads_settings)) {
        statement_.traits |= Trait::sets_config; // the view has a rule
    }
    if (opening.read_head == nullptr) return;
    Tokens tokens{between(rest, last)};
    if (!opening.read_head(statement_, tokens)) statement_.is_uncertain = true;
    if (options_.escapes_in_strings && statement_.text.find('\\') != std::string_view::npos) {
        statement_.is_uncertain = true;
    }
}

} // namespace pgweir::session
