#include <pgweir/config/document.hpp>

#include <toml.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>
#include <string_view>
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

// The well-formed UTF-8 sequences (RFC 3629, section 4). The second byte excludes longer ways to
// write a character, surrogates, and what is no character; a zero byte is no text.
struct Sequence {
    unsigned char lead_low, lead_high;
    unsigned char second_low, second_high;
    std::size_t size;
};

constexpr std::array sequences{
    Sequence{0x01, 0x7F, 0x00, 0x00, 1},
    Sequence{0xC2, 0xDF, 0x80, 0xBF, 2},
    Sequence{0xE0, 0xE0, 0xA0, 0xBF, 3},
    Sequence{0xE1, 0xEC, 0x80, 0xBF, 3},
    Sequence{0xED, 0xED, 0x80, 0x9F, 3},
    Sequence{0xEE, 0xEF, 0x80, 0xBF, 3},
    Sequence{0xF0, 0xF0, 0x90, 0xBF, 4},
    Sequence{0xF1, 0xF3, 0x80, 0xBF, 4},
    Sequence{0xF4, 0xF4, 0x80, 0x8F, 4},
};

// The size of the sequence at the front. 0: there is none.
std::size_t sequence_size(std::string_view text)
{
    const auto is_between = [text](std::size_t i, unsigned char low, unsigned char high) {
        const auto byte = static_cast<unsigned char>(text[i]);
        return byte >= low && byte <= high;
    };
    const auto sequence = std::ranges::find_if(sequences, [&](const Sequence& s) {
        return is_between(0, s.lead_low, s.lead_high);
    });
    if (sequence == sequences.end() || text.size() < sequence->size) return 0;
    if (sequence->size == 1) return 1;
    if (!is_between(1, sequence->second_low, sequence->second_high)) return 0;
    for (std::size_t i = 2; i < sequence->size; ++i) {
        if (!is_between(i, 0x80, 0xBF)) return 0;
    }
    return sequence->size;
}

// toml11 3.7.1 reads beyond its buffer when a literal string is not UTF-8, so it never gets to see
// such a text. Returns the line of the fault, or 0.
std::uint_least32_t find_bad_line(std::string_view text)
{
    std::uint_least32_t line = 1;
    while (!text.empty()) {
        const std::size_t size = sequence_size(text);
        if (size == 0) return line;
        if (text.front() == '\n') ++line;
        text.remove_prefix(size);
    }
    return 0;
}

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
    if (const auto line = find_bad_line(text); line > 0) {
        problems.push_back({.source = file, .line = line, .key = {}, .text = "is not UTF-8 text"});
        return {};
    }
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
