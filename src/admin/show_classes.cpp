#include "columns.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace pgweir::admin {

namespace {

struct ClassView {
    const net::Pool* pool;
    net::ClassNotes::Note note;
    Duration mean; // zero: none of them has ended so far, or not for long

    [[nodiscard]] std::string lane() const
    {
        if (mean == Duration::zero()) return "unproven";
        switch (pool::lane_of(pool->shared().classes().pace_of(note.id))) {
        case pool::Lane::brief: return "brief";
        case pool::Lane::quick: return "quick";
        case pool::Lane::slow: return "slow";
        }
        return "unknown";
    }
};

std::int64_t in_microseconds(Duration duration)
{
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

// clang-format off
constexpr std::array class_columns{
    Column<ClassView>{"database", [](const ClassView& row) -> Value { return row.pool->name().database; }},
    Column<ClassView>{"user", [](const ClassView& row) -> Value { return row.pool->name().user; }},
    Column<ClassView>{"application_name", [](const ClassView& row) -> Value { return row.note.application; }},
    Column<ClassView>{"lane", [](const ClassView& row) -> Value { return row.lane(); }},
    Column<ClassView>{"avg_xact_time", [](const ClassView& row) { return text(in_microseconds(row.mean)); }},
    Column<ClassView>{"statement", [](const ClassView& row) -> Value { return row.note.statement; }},
};
// clang-format on

} // namespace

std::vector<std::string> classes_columns() { return names_of(class_columns); }

// The slowest of each pool first.
Table show_classes(const View& view)
{
    std::vector<ClassView> rows;
    for (const net::PoolRow& row : view.inspection.pools) {
        const pool::Classes& classes = row.pool->shared().classes();
        const auto first = static_cast<std::ptrdiff_t>(rows.size());
        for (net::ClassNotes::Note& note : row.pool->class_notes().read()) {
            const Duration mean = classes.mean_of(note.id);
            rows.push_back({row.pool.get(), std::move(note), mean});
        }
        std::sort(
            rows.begin() + first,
            rows.end(),
            [](const ClassView& one, const ClassView& other) {
                return std::pair{other.mean, one.note.id} < std::pair{one.mean, other.note.id};
            }
        );
    }
    return make_table(class_columns, rows);
}

} // namespace pgweir::admin
