#include <pgweir/session/sql_lexer.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace pgweir::session;

namespace {

std::string_view word_of(TokenKind kind)
{
    switch (kind) {
    case TokenKind::end: return "end";
    case TokenKind::word: return "word";
    case TokenKind::quoted: return "quoted";
    case TokenKind::string: return "string";
    case TokenKind::number: return "number";
    case TokenKind::parameter: return "parameter";
    case TokenKind::symbol: return "";
    }
    return {};
}

// `word[a] =  number[1]`, an open one with a question mark.
std::string lex(std::string_view text)
{
    SqlLexer lexer{text};
    std::string line;
    for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
        if (!line.empty()) line += ' ';
        line += word_of(token.kind);
        line += token.kind == TokenKind::symbol ? "" : "[";
        line += token.text;
        line += token.kind == TokenKind::symbol ? "" : "]";
        if (token.is_open) line += '?';
    }
    return line;
}

std::string name(std::string_view token) { return identifier(token).value_or("nothing"); }

std::string value(std::string_view token) { return string_value(token).value_or("nothing"); }

std::string values(std::string_view text)
{
    const auto elements = setting_values(text);
    if (!elements) return "nothing";
    std::string line;
    for (const std::string& element : *elements) line += '[' + element + ']';
    return line;
}

} // namespace

TEST_CASE("session/sql_lexer: words, numbers, parameters and symbols")
{
    CHECK(lex("") == "");
    CHECK(lex("  \t\n ") == "");
    CHECK(lex("Select a$1_b,\xC3\xA4") == "word[Select] word[a$1_b] , word[\xC3\xA4]");
    CHECK(lex("$1+$23x") == "parameter[$1] + parameter[$23] word[x]");
    CHECK(
        lex("1 .5 1.5e-3 2E10 1e") == "number[1] number[.5] number[1.5e-3] number[2E10] number[1e]"
    );
    CHECK(lex("a.b<=-1") == "word[a] . word[b] < = - number[1]");
    CHECK(lex("x(y)[1]::int;") == "word[x] ( word[y] ) [ number[1] ] : : word[int] ;");
    CHECK(lex("1e--2\n3") == "number[1e] number[3]");
}

TEST_CASE("session/sql_lexer: comments are passed over, and nest")
{
    CHECK(lex("a--b'\nc") == "word[a] word[c]");
    CHECK(lex("a--b\rc") == "word[a] word[c]");
    CHECK(lex("a/* ' /* \" */ $$ */b") == "word[a] word[b]");
    CHECK(lex("a/*/b*/c") == "word[a] word[c]");
    CHECK(lex("a/* open /* */ b") == "word[a]");
    CHECK(lex("a +--b\n-/**/*c") == "word[a] + - * word[c]");
}

TEST_CASE("session/sql_lexer: a string ends where PostgreSQL ends it")
{
    CHECK(lex("'a''b'c") == "string['a''b'] word[c]");
    CHECK(lex("'a\\'b") == "string['a\\'] word[b]");
    CHECK(lex("e'a\\'b'c") == "string[e'a\\'b'] word[c]");
    CHECK(lex("E'a\\\\'c") == "string[E'a\\\\'] word[c]");
    CHECK(
        lex("b'01' X'1f' n'x' U&'\\0041'x")
        == "string[b'01'] string[X'1f'] string[n'x'] "
           "string[U&'\\0041'] word[x]"
    );
    CHECK(lex("E'a' -- b\n 'c\\'d' e") == "string[E'a' -- b\n 'c\\'d'] word[e]");
    CHECK(lex("E'a' 'b\\' c") == "string[E'a'] string['b\\'] word[c]");
    CHECK(lex("type'x'") == "word[type] string['x']");
    CHECK(lex("'open") == "string['open]?");
    CHECK(lex("E'open\\") == "string[E'open\\]?");
}

TEST_CASE("session/sql_lexer: dollar quotes need their own tag to end")
{
    CHECK(lex("$$a'b$$c") == "string[$$a'b$$] word[c]");
    CHECK(lex("$a$ $b$ $$ $a$c") == "string[$a$ $b$ $$ $a$] word[c]");
    CHECK(lex("$a$x$a$a$") == "string[$a$x$a$] word[a$]");
    CHECK(lex("a$$b") == "word[a$$b]");
    CHECK(lex("$a b") == "$ word[a] word[b]");
    CHECK(lex("$_1$open$_$") == "string[$_1$open$_$]?");
}

TEST_CASE("session/sql_lexer: quoted identifiers")
{
    CHECK(lex("\"a\"\"b\".\"C d\"") == "quoted[\"a\"\"b\"] . quoted[\"C d\"]");
    CHECK(lex("U&\"d\\0061t\"x") == "quoted[U&\"d\\0061t\"] word[x]");
    CHECK(lex("u & \"a") == "word[u] & quoted[\"a]?");
}

TEST_CASE("session/sql_lexer: an identifier means what PostgreSQL makes of it")
{
    CHECK(name("MyTable") == "mytable");
    CHECK(name("\"My\"\"Table\"") == "My\"Table");
    CHECK(name("\"\"") == "nothing");
    CHECK(name("U&\"a\"") == "nothing");
    CHECK(name("1a") == "nothing");
    CHECK(name(std::string(70, 'A')) == std::string(63, 'a'));
    const std::string umlauts = std::string(62, 'x') + "\xC3\xA4";
    CHECK(name('"' + umlauts + '"') == std::string(62, 'x'));
}

TEST_CASE("session/sql_lexer: a string means its bytes, or nothing that we dare to say")
{
    CHECK(value("'it''s'") == "it's");
    CHECK(value("''") == "");
    CHECK(value("$x$it's$x$") == "it's");
    CHECK(value("N'a\\b'") == "a\\b");
    CHECK(value("E'a\\n\\'b''\\x41\\102\\\\'") == "a\n'b'AB\\");
    CHECK(value("E'\\u0041'") == "nothing");
    CHECK(value("E'\\0'") == "nothing");
    CHECK(value("E'a'\n'b'") == "nothing");
    CHECK(value("U&'a'") == "nothing");
    CHECK(value("X'41'") == "nothing");
}

TEST_CASE("session/sql_lexer: names of parameters are folded, quoted or not")
{
    CHECK(parameter_name("TimeZone") == "timezone");
    CHECK(parameter_name("\"TimeZone\"") == "timezone");
    CHECK(parameter_name("My . \"App\" /* x */ . c") == "my.app.c");
    CHECK_FALSE(parameter_name("a."));
    CHECK_FALSE(parameter_name("a b"));
    CHECK_FALSE(parameter_name(""));
}

TEST_CASE("session/sql_lexer: the values of SET are read as PostgreSQL stores them")
{
    CHECK(values("On") == "[on]");
    CHECK(values("'Off'") == "[Off]");
    CHECK(values("\"$user\", Public, 'x y'") == "[$user][public][x y]");
    CHECK(values("007") == "[7]");
    CHECK(values("-0") == "[0]");
    CHECK(values("- 12") == "[-12]");
    CHECK(values("+1.50") == "[1.50]");
    CHECK(values("-5e3") == "[-5e3]");
    CHECK(values("99999999999") == "[99999999999]");
    CHECK(values("1_000") == "nothing");
    CHECK(values("INTERVAL '1' HOUR") == "nothing");
    CHECK(values("a,") == "nothing");
    CHECK(values("'a' 'b'") == "nothing");
    CHECK(values("$1") == "nothing");
}
