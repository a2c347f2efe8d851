#include "sql_characters.hpp"
#include "sql_tokens.hpp"

namespace pgweir::session::sql {

std::string_view Tokens::take_name()
{
    const bool is_quoted = token_.kind == TokenKind::quoted && token_.text.front() == '"'
                           && !token_.is_open && token_.text.size() > 2;
    if (!is_quoted && token_.kind != TokenKind::word) return {};
    return take().text;
}

std::string_view Tokens::take_string()
{
    if (token_.kind != TokenKind::string || token_.is_open) return {};
    return take().text;
}

std::string_view Tokens::take_rest()
{
    if (at_end()) return {};
    const char* const start = token_.text.data();
    const char* last = start;
    while (!at_end()) {
        last = token_.text.data() + token_.text.size();
        take();
    }
    return between(start, last);
}

} // namespace pgweir::session::sql
