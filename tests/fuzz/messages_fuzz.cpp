// Bodies that a client or a server made up: what we read lies inside of them, and is what they say.

#include <pgweir/wire/messages.hpp>

#include <pgweir/base/assert.hpp>
#include <pgweir/wire/frame.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

using namespace pgweir;
using namespace pgweir::wire;

namespace {

bool is_inside(std::string_view part, Bytes body)
{
    const std::string_view whole = as_text(body);
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

bool is_body_of(Bytes body, const Buffer& message)
{
    return std::ranges::equal(body, Bytes{message}.subspan(frame_header_size));
}

void check_parse(Bytes body)
{
    const auto parse = read_parse(body);
    if (!parse) return;
    PGWEIR_ASSERT(parse->types.size() >= 2);
    Buffer again;
    append_parse(again, parse->name, parse->query, parse->types);
    PGWEIR_ASSERT(is_body_of(body, again));
}

// However little of it is there, the answer is the same once there is one.
void check_bind(Bytes body)
{
    const auto head = read_bind_head(body);
    if (!head) return;
    PGWEIR_ASSERT(head->size <= body.size());
    PGWEIR_ASSERT(is_inside(head->portal, body) && is_inside(head->statement, body));
    const auto exact = read_bind_head(body.first(head->size));
    PGWEIR_ASSERT(exact && exact->portal == head->portal && exact->statement == head->statement);
    PGWEIR_ASSERT(!read_bind_head(body.first(head->size - 1)));
}

void check_target(Bytes body)
{
    const auto target = read_target(body);
    if (!target) return;
    Buffer again;
    append_target(again, client_type::close, target->kind, target->name);
    PGWEIR_ASSERT(is_body_of(body, again));
}

void check_parameter(Bytes body)
{
    const auto parameter = read_parameter(body);
    if (!parameter) return;
    PGWEIR_ASSERT(is_inside(parameter->name, body) && is_inside(parameter->value, body));
}

void check_error(Bytes body)
{
    const ErrorFields fields = read_error(body);
    for (const auto field :
         {fields.severity, fields.sqlstate, fields.message, fields.detail, fields.hint}) {
        PGWEIR_ASSERT(field.empty() || is_inside(field, body));
        PGWEIR_ASSERT(field.find('\0') == field.npos);
    }
}

void check_header(Bytes input)
{
    constexpr std::uint32_t limit = 4'096;
    const auto header = peek_header(input, limit);
    PGWEIR_ASSERT(!header || header->has_value() == (input.size() >= frame_header_size));
    if (header && header->has_value()) PGWEIR_ASSERT((*header)->body_size <= limit);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const Bytes body = std::as_bytes(std::span{data, size});
    check_parse(body);
    check_bind(body);
    check_target(body);
    check_parameter(body);
    check_error(body);
    check_header(body);
    return 0;
}
