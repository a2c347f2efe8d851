#include <pgweir/session/class_text.hpp>

#include <pgweir/session/sql_lexer.hpp>
#include <pgweir/session/state.hpp>
#include <pgweir/wire/frame.hpp>
#include <pgweir/wire/messages.hpp>

#include <utility>

namespace pgweir::session {

namespace {

constexpr std::string_view literal_mark = "?";

bool is_literal(TokenKind kind) { return kind == TokenKind::string || kind == TokenKind::number; }

// It goes on a list: "?, " stands there already, with or without blanks.
bool goes_on_list(std::string& text)
{
    std::string_view rest = text;
    const auto end_with = [&](char c) {
        if (!rest.ends_with(c)) return false;
        rest.remove_suffix(1);
        return true;
    };
    end_with(' ');
    if (!end_with(',')) return false;
    end_with(' ');
    if (!rest.ends_with('?')) return false;
    text.resize(rest.size());
    return true;
}

// Cut between two characters of UTF-8.
void shorten(std::string& text, std::size_t size)
{
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) --size;
    text.resize(size);
    text += "...";
}

std::string_view first_string(Bytes bytes)
{
    const std::string_view text = as_text(bytes);
    return text.substr(0, text.find('\0'));
}

std::string_view second_string(Bytes body)
{
    const std::size_t first = first_string(body).size();
    return body.size() <= first ? std::string_view{} : first_string(body.subspan(first + 1));
}

std::string_view text_of_message(const ClientState& client, Bytes input)
{
    namespace client_type = wire::client_type;
    if (input.size() < wire::frame_header_size) return {};
    const Bytes body = input.subspan(wire::frame_header_size);
    switch (std::to_integer<char>(input.front())) {
    case client_type::query: return first_string(body);
    case client_type::parse: return second_string(body);
    case client_type::bind: {
        const std::string_view name = second_string(body);
        const NamedStatement* const named = client.statements ? client.statements->look_up(name)
                                                              : nullptr;
        return named != nullptr ? named->statement->query() : std::string_view{};
    }
    default: return {};
    }
}

} // namespace

std::string without_literals(std::string_view sql, std::size_t size_max)
{
    SqlLexer lexer{sql};
    std::string text;
    const char* behind = nullptr; // the token before
    for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next()) {
        const bool has_gap = behind != nullptr && token.text.data() != behind;
        behind = token.text.data() + token.text.size();
        const bool is_listed = is_literal(token.kind) && goes_on_list(text);
        if (is_listed) continue;
        if (has_gap) text += ' ';
        text += is_literal(token.kind) ? literal_mark : token.text;
        if (text.size() <= size_max) continue;
        shorten(text, size_max);
        return text;
    }
    if (text.ends_with(';')) text.pop_back();
    return text;
}

std::string text_of_class(const ClientState& client, Bytes input, std::size_t size_max)
{
    constexpr std::size_t front_size = 8'192;
    const std::string_view sql = text_of_message(client, input).substr(0, front_size);
    std::string text = without_literals(sql, size_max);
    if (client.block && !text.empty()) text.insert(0, "BEGIN; ");
    return text;
}

} // namespace pgweir::session
