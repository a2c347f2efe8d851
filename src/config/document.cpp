#include <pgweir/config/document.hpp>

#include <toml.hpp>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <utility>

namespace pgweir::config {

namespace {

class Walk {
public:
    explicit Walk(std::string file) : file_{std::move(file)}
    {
        directory_ = std::filesystem::path{file_}.parent_path().string();
    }

    void visit_table(const toml::value& table, const Path& path)
    {
        for (const auto& [name, value] : table.as_table()) {
            Path inner = path;
            inner.push_back(name);
            add(inner, value);
            if (value.is_table()) visit_table(value, inner);
        }
    }

    // toml11 keeps a hash table: the order of the lines is the order of the file.
    std::vector<Entry> take_sorted()
    {
        std::ranges::sort(entries_, [](const Entry& a, const Entry& b) {
            return std::pair{a.place.line, a.path} < std::pair{b.place.line, b.path};
        });
        return std::move(entries_);
    }

private:
    void add(const Path& path, const toml::value& value)
    {
        entries_.push_back(
            {.path = path,
             .value = read(value),
             .place =
                 {
                     .source = file_,
                     .line = value.location().line(),
                     .key = to_key(path),
                     .directory = directory_,
                 }}
        );
    }

    static Value read(const toml::value& value)
    {
        if (value.is_table()) return TableStart{};
        if (value.is_boolean()) return value.as_boolean();
        if (value.is_integer()) return value.as_integer();
        if (value.is_string()) return value.as_string().str;
        if (value.is_array()) return read_list(value.as_array());
        return Foreign{};
    }

    static Value read_list(const toml::array& array)
    {
        std::vector<std::string> list;
        for (const toml::value& item : array) {
            if (!item.is_string()) return Foreign{};
            list.push_back(item.as_string().str);
        }
        return list;
    }

    std::string file_;
    std::string directory_;
    std::vector<Entry> entries_;
};

// The library's message goes on with the offending line, which may hold a password.
std::string without_source(std::string_view message)
{
    message = message.substr(0, message.find('\n'));
    for (const std::string_view noise : {"[error] ", "toml::"}) {
        if (message.starts_with(noise)) message.remove_prefix(noise.size());
    }
    if (const auto colon = message.find(": "); colon != message.npos) {
        message.remove_prefix(colon + 2);
    }
    return "is not valid TOML: " + std::string{message};
}

} // namespace

std::vector<Entry> read_document(
    const std::string& text, const std::string& file, std::vector<Problem>& problems
)
{
    try {
        std::istringstream stream{text};
        Walk walk{file};
        walk.visit_table(toml::parse(stream, file), {});
        return walk.take_sorted();
    } catch (const toml::exception& error) {
        problems.push_back(
            {.source = file,
             .line = error.location().line(),
             .key = {},
             .text = without_source(error.what())}
        );
    } catch (const std::exception& error) {
        problems.push_back(
            {.source = file, .line = 0, .key = {}, .text = without_source(error.what())}
        );
    }
    return {};
}

} // namespace pgweir::config
