#include "differential/protocol.hpp"

#include <array>

namespace pgweir::differential {

namespace {

constexpr std::uint32_t int4_type = 23;

// Each takes one parameter. What they mean depends on settings, so a statement that was prepared
// under the wrong ones shows.
constexpr std::array<std::string_view, 9> texts{
    "SELECT $1::int + {n}",
    "SELECT 'client {c}', $1::int",
    "SELECT tag FROM t WHERE id >= $1 ORDER BY id",
    "SELECT tag FROM c{c}.t WHERE id = $1::int",
    "SELECT current_setting('work_mem'), $1::int, date '2024-02-03', 1/3::float8",
    "UPDATE c{c}.t SET tag = 'bound' WHERE id = $1 RETURNING tag",
    "SELECT 10 / (id - $1) FROM shared.t ORDER BY id",
    "SELECT id, tag, value FROM shared.big WHERE id <= $1 ORDER BY id",
    "SELECT no_such_column FROM t WHERE id = $1",
};

std::string statement_name(Draw& draw)
{
    return std::string{draw.pick({"", "s1", "s1", "s1", "s2", "q1"})};
}

Value argument(Draw& draw)
{
    constexpr std::uint64_t rarely = 8;
    if (draw.chance(rarely)) return std::nullopt;
    if (draw.chance(rarely)) return "no number";
    return std::to_string(draw.below(6));
}

void add_parse(Batch& batch, Draw& draw, const Situation& situation, const std::string& name)
{
    constexpr std::string_view sets = "SELECT set_config('work_mem', $1::int || 'MB', false)";
    const bool is_setting = situation.may_set && draw.below(4) == 0;
    const std::string sql = is_setting ? std::string{sets}
                                       : expand(draw.pick(texts), draw, situation);
    if (draw.below(2) == 0) {
        batch.parse(name, sql, {int4_type});
    } else {
        batch.parse(name, sql);
    }
}

// All that have a name take one value. What has none may be anybody's, so it is parsed first.
void add_run(Batch& batch, Draw& draw, const Situation& situation, const std::string& name)
{
    constexpr std::uint64_t sometimes = 20;
    std::vector<Value> values{argument(draw)};
    if (situation.may_misbind && draw.chance(sometimes)) values.resize(draw.below(3), "1");
    batch.bind({.statement = name, .values = values, .is_binary = draw.chance(sometimes)});
    if (draw.below(2) == 0) batch.describe('P', "");
    batch.execute();
}

} // namespace

Step prepared_step(Draw& draw, const Situation& situation)
{
    Batch batch{situation.client};
    const std::string name = statement_name(draw);
    switch (draw.below(8)) {
    case 0:
    case 1: add_parse(batch, draw, situation, name); break;
    case 2:
        add_parse(batch, draw, situation, name);
        batch.describe('S', name);
        break;
    case 3:
        add_parse(batch, draw, situation, name);
        add_run(batch, draw, situation, name);
        break;
    case 4: batch.describe('S', name); break;
    case 5: batch.close('S', name); break;
    default:
        if (name.empty() && !situation.may_misbind) add_parse(batch, draw, situation, name);
        add_run(batch, draw, situation, name);
        break;
    }
    return batch.sync().take();
}

Step portals_step(Draw& draw, const Situation& situation)
{
    constexpr std::string_view many_rows = "SELECT id, tag FROM shared.big ORDER BY id";
    Batch batch{situation.client};
    // Not the one without a name, unless it was just bound: after a failed simple query in a block,
    // PostgreSQL 15 crashes when that query's portal is executed.
    const std::string portal{draw.pick({"p1", "p1", "p1", "p2"})};
    const auto rows = static_cast<std::uint32_t>(1 + draw.below(4));
    switch (draw.below(6)) {
    case 0: batch.parse("", many_rows).bind({}).execute("", rows).execute("", rows); break;
    case 1:
        batch.parse("", many_rows).bind({.portal = portal}).execute(portal, rows);
        if (draw.below(2) == 0) batch.flush().execute(portal, rows);
        break;
    case 2: batch.bind({.portal = portal, .statement = "s1", .values = {"3"}}); break;
    case 3: batch.close('P', portal); break;
    case 4: batch.describe('P', portal); break;
    default: batch.execute(portal, rows); break;
    }
    return batch.sync().take();
}

Step copy_step(Draw& draw, const Situation& situation)
{
    constexpr std::array<std::string_view, 5> out{
        "COPY (SELECT * FROM c{c}.t ORDER BY id) TO STDOUT",
        "COPY (SELECT id, tag FROM t ORDER BY id) TO STDOUT (FORMAT csv, HEADER)",
        "COPY (SELECT date '2024-02-03', 0.1::float8 + 0.2) TO STDOUT",
        "COPY (SELECT id FROM shared.big ORDER BY id LIMIT {n}) TO STDOUT (FORMAT binary)",
        "COPY (SELECT 1 / (id - 3) FROM shared.big ORDER BY id) TO STDOUT",
    };
    Batch batch{situation.client};
    const bool is_extended = draw.below(3) == 0;
    const auto start = [&](const std::string& sql) {
        if (is_extended) {
            batch.parse("", sql).bind({}).execute();
        } else {
            batch.query(sql);
        }
    };
    if (draw.below(2) == 0) {
        start(expand(draw.pick(out), draw, situation));
    } else {
        start(expand("COPY c{c}.t (id, tag) FROM STDIN", draw, situation));
        for (std::size_t rows = draw.below(4); rows > 0; --rows) {
            const std::string id{draw.pick({"100", "101", "102", "1", "not a number"})};
            batch.copy_data(id + "\tcopied\n");
        }
        if (draw.below(4) == 0) {
            batch.copy_fail("changed my mind");
        } else {
            batch.copy_done();
        }
    }
    if (is_extended) batch.sync();
    return batch.take();
}

void add_extended(Batch& batch, Draw& draw, const Statement& statement)
{
    constexpr std::uint64_t sometimes = 15;
    batch.may_pin(statement.may_pin);
    batch.parse("", statement.sql);
    if (draw.chance(sometimes)) batch.describe('S', "");
    batch.bind({.is_binary = draw.chance(sometimes)});
    if (draw.below(2) == 0) batch.describe('P', "");
    batch.execute();
    if (draw.chance(sometimes)) batch.close('P', "");
}

Step pipeline_step(
    Draw& draw, const Situation& situation, const std::function<Statement()>& next_statement
)
{
    constexpr std::uint64_t often = 60;
    constexpr std::uint64_t rarely = 10;
    Batch batch{situation.client};
    for (std::size_t left = 2 + draw.below(4); left > 0; --left) {
        if (draw.below(4) == 0) {
            const std::string name = statement_name(draw);
            const bool may_be_another = name.empty() && !situation.may_misbind;
            if (may_be_another || draw.below(2) == 0) add_parse(batch, draw, situation, name);
            add_run(batch, draw, situation, name);
        } else {
            add_extended(batch, draw, next_statement());
        }
        if (draw.chance(rarely)) batch.flush();
        if (draw.chance(often)) batch.sync();
    }
    return batch.sync().take();
}

} // namespace pgweir::differential
