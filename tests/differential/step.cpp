#include <pgweir/wire/messages.hpp>
#include <pgweir/wire/writer.hpp>

#include "differential/step.hpp"

namespace pgweir::differential {

namespace {

namespace type = wire::client_type;

} // namespace

Batch& Batch::query(std::string_view sql)
{
    wire::append_query(step_.bytes, sql);
    ++step_.ready_count;
    return *this;
}

Batch& Batch::parse(
    std::string_view name, std::string_view sql, const std::vector<std::uint32_t>& types
)
{
    wire::Writer message{step_.bytes, type::parse};
    message.cstring(name).cstring(sql).be16(static_cast<std::uint16_t>(types.size()));
    for (const std::uint32_t oid : types) message.be32(oid);
    message.finish();
    return *this;
}

Batch& Batch::bind(const Binding& binding)
{
    constexpr std::uint32_t null = 0xffffffff;
    wire::Writer message{step_.bytes, type::bind};
    message.cstring(binding.portal).cstring(binding.statement).be16(0);
    message.be16(static_cast<std::uint16_t>(binding.values.size()));
    for (const Value& value : binding.values) {
        if (value) {
            message.be32(static_cast<std::uint32_t>(value->size())).text(*value);
        } else {
            message.be32(null);
        }
    }
    if (binding.is_binary) {
        message.be16(1).be16(1);
    } else {
        message.be16(0);
    }
    message.finish();
    return *this;
}

Batch& Batch::describe(char kind, std::string_view name)
{
    wire::append_target(step_.bytes, type::describe, kind, name);
    return *this;
}

Batch& Batch::execute(std::string_view portal, std::uint32_t rows_max)
{
    wire::Writer{step_.bytes, type::execute}.cstring(portal).be32(rows_max).finish();
    return *this;
}

Batch& Batch::close(char kind, std::string_view name)
{
    wire::append_target(step_.bytes, type::close, kind, name);
    return *this;
}

Batch& Batch::flush()
{
    wire::append_empty(step_.bytes, type::flush);
    return *this;
}

Batch& Batch::sync()
{
    wire::append_empty(step_.bytes, type::sync);
    ++step_.ready_count;
    return *this;
}

Batch& Batch::copy_data(std::string_view bytes)
{
    wire::Writer{step_.bytes, type::copy_data}.text(bytes).finish();
    return *this;
}

Batch& Batch::copy_done()
{
    wire::append_empty(step_.bytes, type::copy_done);
    return *this;
}

Batch& Batch::copy_fail(std::string_view reason)
{
    wire::append_copy_fail(step_.bytes, reason);
    return *this;
}

Batch& Batch::terminate()
{
    wire::append_empty(step_.bytes, type::terminate);
    step_.leaves = true;
    return *this;
}

} // namespace pgweir::differential
