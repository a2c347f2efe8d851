// All pools there are. Asked at logins and by whoever shows them; never by a transaction.
#pragma once

#include <pgweir/net/directory.hpp>
#include <pgweir/net/pool.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace pgweir::net {

class PoolRegistry {
public:
    PoolRegistry(const Directory& directory, std::uint32_t worker_count)
        : directory_{directory}, worker_count_{worker_count}
    {
    }

    /// Made when it is asked for the first time. Null: nobody knows that database.
    [[nodiscard]] std::shared_ptr<Pool> find_or_make(const Pool::Name& name);
    /// Null: nobody has asked for it yet.
    [[nodiscard]] std::shared_ptr<Pool> find(const Pool::Name& name) const;
    [[nodiscard]] std::vector<std::shared_ptr<Pool>> all() const;

    /// The configuration has changed. Returns the pools whose server connections go elsewhere now:
    /// theirs must be closed.
    [[nodiscard]] std::vector<std::shared_ptr<Pool>> configure();

private:
    [[nodiscard]] std::optional<Upstream> upstream_for(const Pool::Name& name) const;

    const Directory& directory_;
    std::uint32_t worker_count_;
    pool::Budgets budgets_;
    mutable std::mutex mutex_; // guards pools_
    std::map<Pool::Name, std::shared_ptr<Pool>> pools_;
};

} // namespace pgweir::net
