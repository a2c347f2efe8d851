// config/pgweir.toml is the reference of all keys: it must not lie, and not forget.

#include <pgweir/config/files.hpp>
#include <pgweir/config/rows.hpp>
#include <pgweir/config/show.hpp>

#include "support.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <sstream>

using namespace pgweir::config;

namespace {

const std::string config_directory = std::string{PGWEIR_SOURCE_DIR} + "/config/";

struct Documented {
    std::string comment; // of the lines above the setting, in one
    std::size_t line;    // of the setting
    std::string table;
};

struct Reference {
    std::vector<std::string> lines;
    std::vector<std::pair<std::string, Documented>> keys; // users.app.password
};

// "#size = 20" and "#[users.app]" are settings; "# Text." is not.
bool is_setting(const std::string& line)
{
    return line.size() > 1 && line[0] == '#' && line[1] != ' ';
}

Reference read_reference()
{
    Reference reference;
    std::istringstream text{read_file(config_directory + "pgweir.toml").value().text};
    std::string table;
    std::string comment;
    for (std::string line; std::getline(text, line);) {
        reference.lines.push_back(line);
        const std::string code = is_setting(line) ? line.substr(1) : line;
        if (code.starts_with("# ")) {
            comment += code.substr(1);
            continue;
        }
        if (code.starts_with('[')) table = code.substr(1, code.size() - 2) + ".";
        if (const auto equals = code.find(" = "); equals != code.npos) {
            const Documented documented{comment, reference.lines.size() - 1, table};
            reference.keys.emplace_back(table + code.substr(0, equals), documented);
        }
        comment.clear();
    }
    return reference;
}

// The file with one setting made live, and the table that it needs.
std::string uncomment(const Reference& reference, const Documented& documented)
{
    std::string out;
    for (std::size_t i = 0; i < reference.lines.size(); ++i) {
        const std::string& line = reference.lines[i];
        const bool is_table = line
                              == "#["
                                     + documented.table.substr(
                                         0,
                                         documented.table.size()
                                             - (documented.table.empty() ? 0 : 1)
                                     )
                                     + "]";
        out += (i == documented.line || is_table ? line.substr(1) : line) + "\n";
    }
    return out;
}

// users.app.password to users.NAME.password.
std::string generic(const std::string& key)
{
    Path path = to_path(key);
    if (path[0] == "databases" || path[0] == "users") path[1] = "NAME";
    return to_key(path);
}

template <class Owner>
void add_rows(
    std::map<std::string, std::pair<std::string, std::string>>& facts,
    const std::string& prefix,
    std::span<const Row<Owner>> rows
)
{
    for (const auto& row : rows) {
        Owner defaults{};
        const std::string range = describe_range(row.field(defaults), row.setting.rule);
        facts[prefix + std::string{row.key}] = {std::string{row.setting.meaning}, range};
    }
}

// Each key with its meaning and its range.
std::map<std::string, std::pair<std::string, std::string>> all_facts()
{
    std::map<std::string, std::pair<std::string, std::string>> facts;
    add_rows(facts, "", setting_rows());
    add_rows(facts, "pool.", pool_rows());
    add_rows(facts, "databases.NAME.", database_rows());
    add_rows(facts, "users.NAME.", user_rows());
    return facts;
}

LoadResult load_reference(const std::string& text)
{
    const TemporaryDirectory directory;
    directory.write("app.password", "secret\n");
    return load_text(
        text,
        {.file = directory.path("pgweir.toml"),
         .overrides = {},
         .environment = {{"DATABASE_URL", "postgresql://db"}, {"REPORTS_PASSWORD", "secret"}}}
    );
}

} // namespace

TEST_CASE("config/reference: every setting is explained once, with its meaning and its range")
{
    const Reference reference = read_reference();
    std::map<std::string, std::string> comments;
    for (const auto& [key, documented] : reference.keys) {
        if (!documented.comment.empty()) {
            CAPTURE(key);
            CHECK(comments.emplace(generic(key), documented.comment).second);
        }
    }
    for (const auto& [key, fact] : all_facts()) {
        CAPTURE(key);
        REQUIRE(comments.contains(key));
        CHECK(comments[key].find(" " + fact.first) == 0);
        CHECK(comments[key].find(fact.second) != std::string::npos);
        comments.erase(key);
    }
    CHECK(comments.empty());
}

TEST_CASE("config/reference: settings that wait for a restart are marked, the others are not")
{
    const Reference reference = read_reference();
    std::set<std::string> waiting;
    for (const auto& row : setting_rows()) {
        if (row.setting.change == Change::restart) waiting.emplace(row.key);
    }
    std::set<std::string> marked;
    for (const auto& [key, documented] : reference.keys) {
        if (documented.comment.find("Needs a restart.") != std::string::npos) marked.insert(key);
    }
    CHECK(marked == waiting);
}

TEST_CASE("config/reference: each documented default is the real one")
{
    const Reference reference = read_reference();
    const auto defaults = config_rows(load_reference("").settings.value());
    std::size_t examples = 0;
    for (const auto& [key, documented] : reference.keys) {
        CAPTURE(key);
        const auto result = load_reference(uncomment(reference, documented));
        REQUIRE(report(result.problems).empty());
        const bool is_example = key == "upstream" || key.starts_with("databases.")
                                || key.starts_with("users.");
        CHECK((config_rows(*result.settings) != defaults) == is_example);
        examples += is_example ? 1 : 0;
    }
    CHECK(examples == 10);
}

TEST_CASE("config/reference: with every setting made live the file is still right")
{
    const Reference reference = read_reference();
    std::string all;
    for (const std::string& line : reference.lines)
        all += (is_setting(line) ? line.substr(1) : line) + "\n";
    const auto result = load_reference(all);
    CHECK(report(result.problems).empty());
    CHECK(result.settings.value().databases.at("app").pool.keys == std::set<std::string>{"size"});
    CHECK(result.settings.value().users.size() == 3);
}

TEST_CASE("config/reference: the minimal file is enough")
{
    const auto result = load(
        {.file = config_directory + "minimal.toml", .overrides = {}, .environment = {}}
    );
    CHECK(report(result.problems).empty());
    CHECK(result.settings.value().find_user("app", "app").value().has_password);
}
