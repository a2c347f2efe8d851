#include <pgweir/session/shape.hpp>

#include <pgweir/session/sql_statement.hpp>
#include <pgweir/wire/reader.hpp>

#include <functional>

namespace pgweir::session {

Shape shape_of_rows(Bytes body)
{
    constexpr std::size_t table_size = 6;  // its oid, and the number of the column there
    constexpr std::size_t length_size = 2; // that of the type
    constexpr std::size_t format_size = 2;
    wire::Reader reader{body};
    Buffer compared;
    append(compared, reader.bytes(2)); // how many
    while (reader.ok() && !reader.at_end()) {
        append(compared, as_bytes(reader.cstring()));
        compared.push_back(std::byte{0});
        static_cast<void>(reader.bytes(table_size));
        append(compared, reader.bytes(4)); // the type …
        static_cast<void>(reader.bytes(length_size));
        append(compared, reader.bytes(4)); // … and its modifier
        static_cast<void>(reader.bytes(format_size));
    }
    const Shape hash = std::hash<std::string_view>{}(as_text(compared));
    return binds_rows(hash) ? hash : ~hash;
}

bool has_lasting_shape(std::string_view query)
{
    SqlReader reader{query};
    const SqlStatement* const statement = reader.next();
    return statement == nullptr
           || (statement->command != Command::fetch && statement->command != Command::execute);
}

} // namespace pgweir::session
