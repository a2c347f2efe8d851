// Which group a client belongs to, and what that group's weight is.
#pragma once

#include <pgweir/pool/fair.hpp>
#include <pgweir/pool/options.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::pool {

/// fair_by and fair_weights, understood once. Who is not listed has a weight of 1.
class Grouping {
public:
    Grouping() = default;
    explicit Grouping(const Options& options);

    [[nodiscard]] FairBy by() const { return by_; }
    /// `name`: of the application, or the address; whatever the pool goes by.
    [[nodiscard]] Group group_of(std::string_view name) const;

private:
    friend std::string problem_in_weights(const Options& options);

    /// An IPv6 address, or an IPv4 one in its form for IPv6.
    using AddressBytes = std::array<std::uint8_t, 16>;
    struct Weight {
        std::string name;
        AddressBytes address{};
        std::optional<std::size_t> prefix{}; // bits, of the form for IPv6. None: it is the name
        std::uint32_t weight = 1;
    };

    [[nodiscard]] static std::optional<AddressBytes> read_address(std::string_view text);
    [[nodiscard]] static bool read_prefix(Weight& weight);
    [[nodiscard]] static std::optional<Weight> read(std::string_view entry, FairBy by);
    [[nodiscard]] std::uint32_t weight_of(std::string_view name) const;

    FairBy by_ = FairBy::none;
    std::vector<Weight> weights_; // the longest prefix first
};

/// A sentence, or nothing.
[[nodiscard]] std::string problem_in_weights(const Options& options);

} // namespace pgweir::pool
