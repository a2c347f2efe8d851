#include <pgweir/config/load.hpp>

#include <pgweir/config/checks.hpp>
#include <pgweir/config/connection_string.hpp>
#include <pgweir/config/document.hpp>
#include <pgweir/config/files.hpp>
#include <pgweir/config/rows.hpp>
#include <pgweir/config/suggest.hpp>
#include <pgweir/config/upstream.hpp>

#include <array>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace pgweir::config {

namespace {

constexpr const char* default_url = "DATABASE_URL";

class Loader {
public:
    explicit Loader(const LoadRequest& request) : request_{request} {}

    void read_text(const std::string& text)
    {
        file_entries_ = read_document(text, request_.file, report_.problems);
        file_is_known_ = report_.problems.empty();
    }

    void warn_if_open(const FileText& file) { file_is_open_to_others_ = file.is_open_to_others; }

    void fail_to_read(const std::string& reason)
    {
        add_problem(
            {.source = request_.file, .line = 0, .key = {}, .text = "cannot be read: " + reason}
        );
        file_is_known_ = false;
    }

    LoadResult finish()
    {
        std::vector<Entry> flags = read_overrides(request_.overrides, report_.problems);
        std::vector<Entry> known = file_entries_;
        known.insert(known.end(), flags.begin(), flags.end());
        const auto variables = read_environment(request_.environment, known, report_.problems);

        for (const auto* const entries : {&std::as_const(file_entries_), &variables}) {
            for (const Entry& entry : *entries) apply(entry);
        }
        for (const Entry& entry : flags) apply(entry);

        if (file_is_known_) build(); // otherwise what is missing means nothing
        LoadResult result;
        if (report_.problems.empty()) result.settings = std::move(draft_.settings);
        result.problems = std::move(report_.problems);
        result.warnings = std::move(report_.warnings);
        return result;
    }

private:
    void add_problem(Problem problem) { report_.problems.push_back(std::move(problem)); }

    void apply(const Entry& entry)
    {
        const std::string key = to_key(entry.path);
        if (!refused_.empty() && key.starts_with(refused_)) return;
        if (!std::holds_alternative<TableStart>(entry.value)) return apply_value(entry, key);
        if (!is_table(entry.path)) return refuse_table(entry, key);

        report_.places.insert_or_assign(key, entry.place);
        if (entry.path.size() < 2) return;
        if (entry.path[0] == "databases") draft_.databases.try_emplace(entry.path[1]);
        if (entry.path[0] == "users") draft_.users.try_emplace(entry.path[1]);
    }

    void apply_value(const Entry& entry, const std::string& key)
    {
        const auto slot = find_slot(draft_, entry.path);
        if (!slot) return refuse_value(entry, key);
        std::string wrong = assign(slot->field, slot->setting->rule, entry);
        if (!wrong.empty()) add_problem(entry.place.problem(std::move(wrong)));
        const bool is_users_own = entry.path[0] == "users" && entry.path.size() == 3;
        if (is_users_own && is_secret(entry.path[2])) choose_secret(entry);
        report_.places.insert_or_assign(key, entry.place);
    }

    static bool is_secret(std::string_view key) { return key.starts_with("password"); }

    // Of a user's three, the one with the highest precedence counts; two in one place are a riddle.
    void choose_secret(const Entry& entry)
    {
        UserDraft& user = draft_.users[entry.path[1]];
        for (const auto& row : user_rows()) {
            const std::string key = to_key({"users", entry.path[1], std::string{row.key}});
            if (!is_secret(row.key) || row.key == entry.path[2] || !report_.places.contains(key))
                continue;
            if (report_.places.at(key).source == entry.place.source) {
                add_problem(entry.place.problem(
                    "stands beside " + std::string{row.key} + ": keep one of them"
                ));
            }
            *std::get<std::string*>(row.field(user)) = "";
            report_.places.erase(key);
        }
    }

    void refuse_table(const Entry& entry, const std::string& key)
    {
        refused_ = key + ".";
        if (find_slot(draft_, entry.path)) {
            return add_problem(entry.place.problem("is a setting, not a table"));
        }
        add_problem(entry.place.problem(
            "is not a table of settings" + did_you_mean(key, all_tables(name_of(entry)))
        ));
    }

    void refuse_value(const Entry& entry, const std::string& key)
    {
        if (is_table(entry.path)) {
            return add_problem(entry.place.problem("is a table, not a setting"));
        }
        add_problem(
            entry.place.problem("is not a setting" + did_you_mean(key, all_keys(name_of(entry))))
        );
    }

    static std::string name_of(const Entry& entry)
    {
        return entry.path.size() > 2 ? entry.path[1] : "";
    }

    void build()
    {
        // After a wrong value its default stands, which may fit the others badly: say no more.
        const bool is_complete = report_.problems.empty();
        use_default_url();
        read_secrets();
        build_upstream();
        for (auto& [name, database] : draft_.databases) build_database(name, database);
        if (is_complete && draft_.upstream.empty() && draft_.databases.empty()) {
            add_problem(
                {.source = request_.file.empty() ? "settings" : request_.file,
                 .line = 0,
                 .key = "upstream",
                 .text =
                     "nobody says where PostgreSQL is: give --upstream "
                     "postgresql://user@host/dbname, DATABASE_URL, or [databases.NAME] in a file"}
            );
        }
        if (is_complete) check_pools(draft_.settings, report_);
        if (is_complete) check_tls(draft_.settings, report_);
        check_users(draft_.settings, report_);
        warn_of_open_file();
    }

    void use_default_url()
    {
        for (const auto& [name, database] : draft_.databases) {
            if (!database.upstream.empty()) return;
        }
        const auto url = request_.environment.find(default_url);
        if (!draft_.upstream.empty() || url == request_.environment.end()) return;
        draft_.upstream = url->second;
        report_.places["upstream"] = {
            .source = "environment", .line = 0, .key = default_url, .directory = {}
        };
    }

    void read_secrets()
    {
        for (const auto& [name, draft] : draft_.users) {
            User user{
                .auth = {.name = name, .has_password = false, .password = {}}, .pool = draft.pool
            };
            if (report_.places.contains(to_key({"users", name, "max_user_connections"}))) {
                user.max_user_connections = draft.max_user_connections;
            }
            user.auth.password = find_secret(name, draft);
            user.auth.has_password = !user.auth.password.empty();
            draft_.settings.users.emplace(name, std::move(user));
        }
    }

    std::string find_secret(const std::string& name, const UserDraft& draft)
    {
        if (!draft.password_file.empty()) {
            return read_secret_file(to_key({"users", name, "password_file"}), draft.password_file);
        }
        if (draft.password_env.empty()) return draft.password;

        const auto variable = request_.environment.find(draft.password_env);
        if (variable != request_.environment.end() && !variable->second.empty()) {
            return variable->second;
        }
        report_.add_problem(
            to_key({"users", name, "password_env"}),
            "names " + draft.password_env + ", which is not set"
        );
        return {};
    }

    std::string read_secret_file(const std::string& key, const std::string& path)
    {
        const auto file = read_file(path);
        if (!file) {
            report_.add_problem(key, path + " cannot be read: " + file.error().message());
            return {};
        }
        if (file->is_open_to_others) {
            report_.add_warning(key, path + " can be read by everybody: chmod 0600 it");
        }
        const std::string secret = file->text.substr(0, file->text.find_last_not_of("\r\n") + 1);
        if (secret.empty()) report_.add_problem(key, path + " is empty");
        if (secret.find_first_of(std::string_view{"\r\n\0", 3}) != secret.npos) {
            report_.add_problem(key, path + " has more than one line");
        }
        return secret;
    }

    std::optional<net::Upstream> read_upstream(const std::string& text, const std::string& key)
    {
        Notes notes;
        const UpstreamContext context{
            .tls = draft_.settings.server_tls,
            .directory = report_.place_of(key).directory,
            .environment = request_.environment,
        };
        auto upstream = parse_upstream(text, context, notes);
        for (auto& problem : notes.problems) report_.add_problem(key, std::move(problem));
        for (auto& warning : notes.warnings) report_.add_warning(key, std::move(warning));
        if (upstream) complete_password(*upstream);
        return upstream;
    }

    // The password of a URL's user may stand under [users.NAME], where it has a file of its own.
    void complete_password(net::Upstream& upstream) const
    {
        const auto user = draft_.settings.users.find(upstream.user);
        if (upstream.has_password || user == draft_.settings.users.end()) return;
        const std::string& password = user->second.auth.password;
        const bool is_verifier = password.starts_with("SCRAM-SHA-256$")
                                 || (password.starts_with("md5") && password.size() == 35);
        if (is_verifier) return; // nobody can log in with one
        upstream.password = password;
        upstream.has_password = !password.empty();
    }

    void build_upstream()
    {
        if (!draft_.upstream.empty()) {
            draft_.settings.upstream = read_upstream(draft_.upstream, "upstream");
        }
    }

    void build_database(const std::string& name, const DatabaseDraft& draft)
    {
        const std::string key = to_key({"databases", name, "upstream"});
        if (is_console(name) || name.empty()) {
            report_.add_problem(
                report_.places.contains(key) ? key : to_key({"databases", name}),
                name.empty() ? "needs a name" : "is reserved: it is the name of the console"
            );
            return;
        }
        Database database{.upstream = {}, .pool = draft.pool};
        if (report_.places.contains(to_key({"databases", name, "max_db_connections"}))) {
            database.max_db_connections = draft.max_db_connections;
        }
        if (!draft.upstream.empty()) {
            database.upstream = read_upstream(draft.upstream, key).value_or(net::Upstream{});
        } else if (draft_.settings.upstream) {
            database.upstream = *draft_.settings.upstream;
            database.upstream.dbname.clear();
        } else if (draft_.upstream.empty()) {
            report_.add_problem(
                to_key({"databases", name}), "needs an upstream: a connection string"
            );
        }
        draft_.settings.databases.emplace(name, std::move(database));
    }

    void warn_of_open_file()
    {
        if (!file_is_open_to_others_) return;
        for (const auto& [key, place] : report_.places) {
            const Path path = to_path(key);
            const auto slot = find_slot(draft_, path);
            if (place.source != request_.file || !slot) continue;
            if (slot->setting->rule.kind != Kind::secret && !has_password(path)) continue;
            report_.add_warning(
                key, "is a password in a file that everybody can read: chmod 0600 it"
            );
        }
    }

    // In the string itself, and not in the password file or under [users.NAME].
    bool has_password(const Path& path) const
    {
        if (path.back() != "upstream") return false;
        const bool is_general = path.size() == 1;
        const auto& text = is_general ? draft_.upstream : draft_.databases.at(path[1]).upstream;
        return parse_connection_string(text).options.contains("password");
    }

    const LoadRequest& request_;
    bool file_is_known_ = true; // also if there is none
    bool file_is_open_to_others_ = false;
    std::vector<Entry> file_entries_;
    std::string refused_; // of what begins like this, no more is said
    Draft draft_;
    Report report_;
};

} // namespace

LoadResult load_text(const std::string& text, const LoadRequest& request)
{
    Loader loader{request};
    loader.read_text(text);
    return loader.finish();
}

LoadResult load(const LoadRequest& request)
{
    LoadRequest named = request;
    const auto variable = request.environment.find("PGWEIR_CONFIG");
    if (named.file.empty() && variable != request.environment.end()) named.file = variable->second;

    Loader loader{named};
    if (named.file.empty()) return loader.finish();
    const auto file = read_file(named.file);
    if (file) {
        loader.warn_if_open(*file);
        loader.read_text(file->text);
    } else {
        loader.fail_to_read(file.error().message());
    }
    return loader.finish();
}

} // namespace pgweir::config
