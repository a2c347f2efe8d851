// One token of look-ahead, and the questions that the readers of single statements ask.
#pragma once

#include <pgweir/session/sql_lexer.hpp>

namespace pgweir::session::sql {

class Tokens {
public:
    explicit Tokens(std::string_view text)
        : end_{text.data() + text.size()}, lexer_{text}, token_{lexer_.next()}
    {
    }

    [[nodiscard]] const Token& peek() const { return token_; }
    [[nodiscard]] bool at_end() const { return token_.kind == TokenKind::end; }
    [[nodiscard]] bool at_word(std::string_view lower_case) const
    {
        return token_.is_word(lower_case);
    }

    Token take()
    {
        const Token taken = token_;
        token_ = lexer_.next();
        return taken;
    }

    /// False: something else is there, and stays.
    bool take_word(std::string_view lower_case)
    {
        if (!at_word(lower_case)) return false;
        take();
        return true;
    }

    bool take_symbol(char c)
    {
        if (!token_.is_symbol(c)) return false;
        take();
        return true;
    }

    /// An identifier as it is written. Empty: there is none, or one with Unicode escapes.
    std::string_view take_name();

    /// A string as it is written. Empty: there is none.
    std::string_view take_string();

    /// All that is left, as it is written.
    std::string_view take_rest();

private:
    const char* end_;
    SqlLexer lexer_;
    Token token_;
};

} // namespace pgweir::session::sql
