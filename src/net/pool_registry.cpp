#include <pgweir/net/pool_registry.hpp>

#include <pgweir/auth/verifier.hpp>

#include <utility>

namespace pgweir::net {

// A pool logs in as its own user: with the password of the upstream's URL if that is the user's,
// else with the one that the configuration has for it. A SCRAM verifier is none: then the keys that
// its clients prove to have log in, if PostgreSQL has the same verifier.
std::optional<Upstream> PoolRegistry::upstream_for(const Pool::Name& name) const
{
    std::optional<Upstream> upstream = directory_.find_upstream(name.database);
    if (!upstream || upstream->user == name.user) return upstream;
    upstream->user = name.user;
    upstream->password.clear();
    upstream->has_password = false;
    const std::optional<auth::User> user = directory_.find_user(name.user, name.database);
    if (user && user->has_password && !auth::is_scram_verifier(user->password)) {
        upstream->password = user->password;
        upstream->has_password = true;
    }
    return upstream;
}

std::shared_ptr<Pool> PoolRegistry::find(const Pool::Name& name) const
{
    const std::scoped_lock lock{mutex_};
    const auto found = pools_.find(name);
    return found != pools_.end() ? found->second : nullptr;
}

std::shared_ptr<Pool> PoolRegistry::find_or_make(const Pool::Name& name)
{
    if (std::shared_ptr<Pool> known = find(name)) return known;
    std::optional<Upstream> upstream = upstream_for(name);
    if (!upstream) return nullptr;
    const pool::Options options = directory_.pool_options(name.database, name.user);
    const std::scoped_lock lock{mutex_};
    std::shared_ptr<Pool>& pool = pools_[name];
    if (!pool) { // or it would count twice
        pool = std::make_shared<Pool>(
            name, std::move(*upstream), options, worker_count_, &budgets_
        );
    }
    return pool;
}

std::vector<std::shared_ptr<Pool>> PoolRegistry::all() const
{
    const std::scoped_lock lock{mutex_};
    std::vector<std::shared_ptr<Pool>> pools;
    pools.reserve(pools_.size());
    for (const auto& [name, pool] : pools_) pools.push_back(pool);
    return pools;
}

std::vector<std::shared_ptr<Pool>> PoolRegistry::configure()
{
    std::vector<std::shared_ptr<Pool>> moved;
    for (const std::shared_ptr<Pool>& pool : all()) {
        const Pool::Name& name = pool->name();
        const Upstream before = pool->upstream();
        const Upstream now = upstream_for(name).value_or(before);
        pool->configure(now, directory_.pool_options(name.database, name.user));
        if (!(now == before)) moved.push_back(pool);
    }
    return moved;
}

} // namespace pgweir::net
