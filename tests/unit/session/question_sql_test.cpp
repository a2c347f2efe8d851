// What is asked, as SQL that no search_path can turn, and how the rows of the answer are read.
#include <pgweir/session/question.hpp>
#include <pgweir/session/sql_lexer.hpp>
#include <pgweir/wire/frame.hpp>

#include "support/session_script.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace pgweir;
using namespace pgweir::session;
using pgweir::test::lines;
using pgweir::test::reply::answer_row;

namespace {

constexpr Parts everything = askable_parts | Part::catalog;

std::vector<Token> tokens_of(std::string_view sql)
{
    std::vector<Token> tokens(3); // so that every token has some before it
    SqlLexer lexer{sql};
    do {
        tokens.push_back(lexer.next());
    } while (tokens.back().kind != TokenKind::end);
    return tokens;
}

template <std::size_t Size>
bool is_one_of(const Token& token, const std::array<std::string_view, Size>& words)
{
    return std::ranges::any_of(words, [&](std::string_view word) { return token.is_word(word); });
}

// The tables of WITH come before those of any schema.
bool is_named_by_with(std::string_view sql, std::string_view name)
{
    return sql.find(std::string{name} + " AS (") != std::string_view::npos;
}

// Everything that PostgreSQL would look for in the client's search_path: one line each.
std::string unqualified(std::string_view sql)
{
    constexpr std::array<std::string_view, 6> grammar{"all", "any", "as", "exists", "operator", ""};
    constexpr std::string_view operators = "+-*/<>=~!@#%^&|?";
    const std::vector<Token> tokens = tokens_of(sql);
    std::string found;
    for (std::size_t i = 3; i < tokens.size(); ++i) {
        const Token& token = tokens[i];
        const Token& before = tokens[i - 1];
        const bool is_in_catalog = before.is_symbol('.') && tokens[i - 2].is_word("pg_catalog");
        const bool is_operator = token.kind == TokenKind::symbol
                                 && operators.find(token.text.front()) != std::string_view::npos;
        const bool goes_on = before.kind == TokenKind::symbol
                             && operators.find(before.text.front()) != std::string_view::npos;
        if (is_operator && !goes_on && !is_in_catalog) {
            found += "operator " + std::string{token.text} + "\n";
        }
        const bool is_call = token.is_symbol('(') && before.kind == TokenKind::word
                             && !is_one_of(before, grammar);
        const bool is_qualified = tokens[i - 2].is_symbol('.')
                                  && tokens[i - 3].is_word("pg_catalog");
        if (is_call && !is_qualified) found += "call " + std::string{before.text} + "\n";
        const bool is_type = before.is_symbol(':') && !token.is_symbol(':');
        const bool is_table = before.is_word("from") || before.is_word("join");
        const bool is_name = (is_type || is_table) && token.kind == TokenKind::word
                             && !token.is_word("pg_catalog") && !token.is_word("where");
        if (is_name && !is_named_by_with(sql, token.text)) {
            found += "name " + std::string{token.text} + "\n";
        }
    }
    return found;
}

std::size_t count_of(std::string_view text, std::string_view part)
{
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string_view::npos;
         at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

struct Rows {
    Rows() { answer.catalog = std::make_shared<Catalog>(); }

    bool take(const char* mark, const char* name, const char* value)
    {
        return take_message(answer_row(mark, name, value));
    }

    bool take_message(std::string_view message)
    {
        return take_answer_row(answer, as_bytes(message).subspan(wire::frame_header_size));
    }

    Answer answer;
};

} // namespace

TEST_CASE("session/question_sql: what the check below finds")
{
    CHECK(
        unqualified("SELECT a = lower(b)::text <> '=' FROM t JOIN pg_catalog.u ON a ~~ b")
        == lines("operator =", "call lower", "name text", "operator <", "name t", "operator ~")
    );
    CHECK(
        unqualified("SELECT a OPERATOR(pg_catalog.<>) b, EXISTS (SELECT FROM pg_catalog.t)") == ""
    );
    CHECK(unqualified("WITH w AS (SELECT pg_catalog.f(1)::pg_catalog.int4) SELECT x FROM w") == "");
}

TEST_CASE("session/question_sql: nothing is looked for where the client's search_path leads")
{
    Knowledge knowledge;
    knowledge.add_custom("my.tenant");
    for (unsigned bits = 1; bits <= 256; bits *= 2) {
        const Part part = static_cast<Part>(bits);
        if (!everything.has(part)) continue;
        const std::string sql = question_about(part, knowledge);
        CAPTURE(sql);
        CHECK(sql.size() > 20);
        CHECK(unqualified(sql) == "");
    }
    CHECK(unqualified(question_about(everything, knowledge)) == "");
}

TEST_CASE("session/question_sql: parts are asked about in one SELECT")
{
    Knowledge knowledge;
    const auto question = [&](Parts parts) { return question_about(parts, knowledge); };
    const std::string both = question(Parts{Part::channels} | Part::held_cursors);
    CHECK(both == question(Part::held_cursors) + " UNION ALL " + question(Part::channels));
    CHECK(question(Part::channels).starts_with("SELECT 'channels', channel, ''"));
    CHECK(question({}) == "");
    const std::string all = question(everything);
    for (const Part part :
         {Part::settings,
          Part::held_cursors,
          Part::temp_objects,
          Part::advisory_locks,
          Part::prepared_statements,
          Part::channels,
          Part::catalog}) {
        CHECK(all.find(question(part)) != std::string::npos);
    }
    CHECK(count_of(all, ";") == 1); // the one within a pattern: it is one statement
    CHECK(all.find("(^|;|") != std::string::npos);
    CHECK(count_of(all, "UNION ALL SELECT 'temp_objects'") == 1);
}

TEST_CASE("session/question_sql: custom parameters are asked for one by one, by settings only")
{
    Knowledge knowledge;
    knowledge.add_custom("my.tenant");
    const std::string sql = question_about(Part::settings, knowledge);
    CHECK(
        sql.find(" UNION ALL SELECT 'setting', 'my.tenant', "
                 "pg_catalog.current_setting('my.tenant', true)")
        != std::string::npos
    );
    CHECK(question_about(Part::channels, knowledge).find("my.tenant") == std::string::npos);
}

TEST_CASE("session/question_sql: a backslash means the same whatever the client has set")
{
    const std::string sql = question_about(everything, {});
    const std::vector<Token> tokens = tokens_of(sql);
    std::size_t count = 0;
    for (const Token& token : tokens) {
        if (token.text.find('\\') == std::string_view::npos) continue;
        ++count;
        CHECK(token.text.starts_with("E'"));
    }
    CHECK(count > 3);
}

TEST_CASE_FIXTURE(Rows, "session/question_sql: rows are taken by what they are about")
{
    CHECK(take("setting", "work_mem", "7MB"));
    CHECK(take("prepared", "p", "PREPARE p AS SELECT 1"));
    CHECK(take("custom_default", "My.Tenant", "x"));
    CHECK(take("channels", "news", ""));
    CHECK(take("temp_objects", "", ""));
    CHECK(take("temp_objects", "", ""));
    CHECK(answer.entries == std::vector<Settings::Entry>{{"work_mem", "7MB"}});
    CHECK(answer.prepared == SqlPrepared{{"p", "PREPARE p AS SELECT 1"}});
    CHECK(answer.catalog->custom_defaults == std::vector<Settings::Entry>{{"my.tenant", "x"}});
    CHECK(names_of(answer.found) == "temp_objects, channels");
    CHECK(answer.channels == std::vector<std::string>{"news"});
}

TEST_CASE_FIXTURE(Rows, "session/question_sql: a function brings the parts that it may change")
{
    CHECK(take("function", "f", "5"));
    CHECK(names_of(answer.catalog->functions.find("f")) == "settings, temp_objects");
    CHECK(answer.catalog->by_triggers.empty());
    CHECK(take("trigger", "g", "8"));
    CHECK(names_of(answer.catalog->by_triggers) == "advisory_locks");
    CHECK(names_of(answer.catalog->functions.find("g")) == "advisory_locks");
    CHECK_FALSE(take("function", "h", ""));
    CHECK_FALSE(take("function", "h", "x"));
    CHECK_FALSE(take("function", "h", "-1"));
    CHECK_FALSE(take("function", "h", "65536"));
    CHECK(answer.catalog->functions.find("h").empty());
}

TEST_CASE_FIXTURE(Rows, "session/question_sql: only a setting may be NULL: the server has none")
{
    CHECK(take("setting", "my.tenant", nullptr));
    CHECK(answer.entries.empty());
    CHECK_FALSE(take("prepared", "p", nullptr));
    CHECK_FALSE(take("function", "f", nullptr));
    CHECK_FALSE(take("channels", "", nullptr));
    CHECK_FALSE(take("setting", nullptr, "x"));
    CHECK_FALSE(take(nullptr, "work_mem", "7MB"));
}

TEST_CASE_FIXTURE(Rows, "session/question_sql: a catalog that was not asked for makes no sense")
{
    answer.catalog = nullptr;
    CHECK_FALSE(take("function", "f", "1"));
    CHECK_FALSE(take("trigger", "f", "1"));
    CHECK_FALSE(take("custom_default", "my.tenant", "x"));
    CHECK_FALSE(take("custom", "my.tenant", ""));
    CHECK(take("setting", "work_mem", "7MB"));
}

TEST_CASE_FIXTURE(Rows, "session/question_sql: a row that is none makes no sense")
{
    CHECK_FALSE(take("unknown", "", ""));
    CHECK_FALSE(take("", "", ""));
    CHECK_FALSE(take("Setting", "a", "b"));
    const std::string whole = answer_row("setting", "work_mem", "7MB");
    CHECK(take_message(whole));
    for (std::size_t size = wire::frame_header_size; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(take_message(std::string_view{whole}.substr(0, size)));
    }
    CHECK_FALSE(take_message(whole + "x"));
    std::string four = whole;
    four[wire::frame_header_size + 1] = 4;
    CHECK_FALSE(take_message(four));
    CHECK_FALSE(take_message(four + std::string(4, '\0')));
    CHECK(answer.entries.size() == 1);
}
