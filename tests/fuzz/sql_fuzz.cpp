#include <pgweir/session/sql.hpp>

#include <pgweir/base/assert.hpp>

#include <cstddef>
#include <string_view>

using namespace pgweir::session;

// Whatever name is read is read again from the statement that we make of it.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const SqlHead head = read_sql_head(text);
    if (head.kind == SqlKind::deallocate_one) {
        const SqlHead again = read_sql_head(deallocate_sql(head.name));
        PGWEIR_ASSERT(again.kind == SqlKind::deallocate_one && again.name == head.name);
    }
    return 0;
}
