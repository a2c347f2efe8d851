#include <pgweir/net/pool.hpp>

#include <random>

namespace pgweir::net {

namespace {

std::string new_cut_channel()
{
    std::random_device random;
    return "pgweir_cut_" + std::to_string(random()) + '_' + std::to_string(random());
}

} // namespace

void ErrorCounts::add(std::string_view sqlstate)
{
    constexpr std::size_t kinds_max = 300; // a server that invents codes does not fill our memory

    const std::scoped_lock lock{mutex_};
    const auto found = counts_.find(sqlstate);
    if (found != counts_.end()) {
        ++found->second;
    } else if (counts_.size() < kinds_max) {
        counts_.emplace(sqlstate, 1);
    }
}

std::map<std::string, std::uint64_t> ErrorCounts::read() const
{
    const std::scoped_lock lock{mutex_};
    return {counts_.begin(), counts_.end()};
}

Pool::Pool(
    Name name,
    Upstream upstream,
    const pool::Options& options,
    std::uint32_t worker_count,
    pool::Budgets* budgets
)
    : name_{std::move(name)},
      cut_channel_{new_cut_channel()},
      shared_{worker_count, options},
      counters_(worker_count + 1),
      upstream_{std::move(upstream)},
      options_{options}
{
    if (budgets == nullptr) return;
    shared_.join(*budgets, this, name_.database, name_.user);
    shared_.configure(options);
}

Upstream Pool::upstream() const
{
    const std::scoped_lock lock{mutex_};
    return upstream_;
}

std::string Pool::database() const
{
    const std::scoped_lock lock{mutex_};
    return upstream_.dbname.empty() ? name_.database : upstream_.dbname;
}

pool::Options Pool::options() const
{
    const std::scoped_lock lock{mutex_};
    return options_;
}

void Pool::configure(Upstream upstream, const pool::Options& options)
{
    shared_.configure(options);
    const std::scoped_lock lock{mutex_};
    upstream_ = std::move(upstream);
    options_ = options;
}

std::optional<auth::Secret> Pool::secret() const
{
    const std::scoped_lock lock{mutex_};
    return secret_;
}

bool Pool::set_secret(const auth::Secret& secret)
{
    const std::scoped_lock lock{mutex_};
    if (secret_ == secret) return false;
    secret_ = secret;
    return true;
}

bool Pool::set_identity(const std::string& identity)
{
    if (identity.empty()) return false;
    const std::scoped_lock lock{mutex_};
    const bool is_other = !identity_.empty() && identity_ != identity;
    identity_ = identity;
    return is_other;
}

session::SettingsRef Pool::welcome() const
{
    const std::scoped_lock lock{mutex_};
    return welcome_;
}

std::vector<session::Settings::Entry> Pool::welcome_as_spelt() const
{
    const std::scoped_lock lock{mutex_};
    return welcome_as_spelt_;
}

void Pool::set_welcome(std::vector<session::Settings::Entry> parameters, std::uint32_t epoch)
{
    const std::scoped_lock lock{mutex_};
    if (epoch < welcome_epoch_) return;
    welcome_epoch_ = epoch;
    welcome_as_spelt_ = std::move(parameters);
    const session::Settings fresh{welcome_as_spelt_};
    if (fresh == *welcome_) return; // share the one that all servers have
    welcome_ = std::make_shared<const session::Settings>(fresh);
}

bool Pool::has_old_welcome() const
{
    const std::scoped_lock lock{mutex_};
    return welcome_epoch_ != epoch() && !welcome_->entries().empty();
}

wire::ErrorText Pool::last_error() const
{
    const std::scoped_lock lock{mutex_};
    return last_error_;
}

void Pool::set_last_error(wire::ErrorText error)
{
    const std::scoped_lock lock{mutex_};
    last_error_ = std::move(error);
}

bool Pool::is_proven(const session::Settings& settings) const
{
    if (settings.proof_hash() == 0) return true;
    const std::scoped_lock lock{mutex_};
    return proven_.contains(settings.proof_hash());
}

void Pool::set_proven(const session::Settings& settings)
{
    constexpr std::size_t remembered_max = 10'000;

    const std::scoped_lock lock{mutex_};
    if (proven_.size() >= remembered_max) proven_.clear();
    proven_.insert(settings.proof_hash());
}

} // namespace pgweir::net
