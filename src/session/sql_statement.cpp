#include <pgweir/session/sql_statement.hpp>

#include "sql_characters.hpp"
#include "sql_heads.hpp"
#include "sql_scan.hpp"

namespace pgweir::session {

namespace {

using namespace sql;

struct Opening {
    Command command = Command::other;
    bool (*read_head)(Statement&, Tokens&) = nullptr; // null: nothing more to know
};

struct FirstWord {
    std::uint64_t key = 0; // its last eight letters
    const char* end = nullptr;
};

constexpr std::uint64_t key_of(std::string_view word)
{
    std::uint64_t key = 0;
    for (const char c : word) key = key << 8U | static_cast<unsigned char>(c);
    return key;
}

FirstWord first_word(const char* at, const char* end)
{
    constexpr unsigned upper_case_bit = 0x20; // no other character of a word becomes a letter by it
    FirstWord first;
    for (; at != end && is(*at, word); ++at) {
        first.key = first.key << 8U | (static_cast<unsigned char>(*at) | upper_case_bit);
    }
    first.end = at;
    return first;
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

Opening opening_of(const char* start, const FirstWord& first)
{
    const std::string_view text = between(start, first.end);
    if (text.size() > sizeof first.key) return long_opening(text);
    if (text.empty() && *start == '(') return {Command::select, nullptr};
    return short_opening(first.key);
}

} // namespace

SqlReader::SqlReader(std::string_view text, SqlOptions options)
    : at_{text.data()}, end_{text.data() + text.size()}, options_{options}
{
}

const Statement* SqlReader::next()
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

void SqlReader::read(const char* start)
{
    const FirstWord first = first_word(start, end_);
    const Opening opening = opening_of(start, first);
    statement_.command = opening.command;
    statement_.text = between(start, end_);

    const bool may_have_body = opening.read_head == read_create
                               && creates_routine(Tokens{between(first.end, end_)});
    if (may_have_body) {
        at_ = routine_end(between(start, end_));
        Scan{start, at_, options_, statement_}.through(first.end);
    } else {
        at_ = Scan{start, end_, options_, statement_}.to_statement_end(first.end);
    }
    const char* last = at_;
    while (is(last[-1], blank)) --last;
    statement_.text = between(start, last);
    const bool is_settings_view = statement_.traits.has(Trait::reads_settings);
    if (opening.command == Command::update && is_settings_view) {
        statement_.traits |= Trait::sets_config; // the view has a rule
    }
    if (opening.read_head == nullptr) return;
    Tokens rest{between(first.end, last)};
    if (!opening.read_head(statement_, rest)) statement_.is_uncertain = true;
}

} // namespace pgweir::session
