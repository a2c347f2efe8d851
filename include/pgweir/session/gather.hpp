// What goes out in one write: runs of bytes borrowed from a receive buffer, and a few of our own
// between them. Bodies of messages are not copied, but for a few bytes behind our own, which is
// cheaper than one part more for the kernel to gather: pipelines are made of those.
#pragma once

#include <pgweir/base/bytes.hpp>

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <span>

namespace pgweir::session {

/// Borrowed runs must stay valid until clear(). Neighbours in memory become one run.
class Gather {
public:
    struct Run {
        const std::byte* borrowed; // null: own bytes
        std::size_t own_at;        // where they start in own()
        std::size_t size;
    };

    void borrow(Bytes bytes)
    {
        if (bytes.empty() || (!runs_.empty() && extend(bytes))) return;
        size_ += bytes.size();
        runs_.push_back({bytes.data(), 0, bytes.size()});
    }

    /// Messages written to the returned buffer become a run once commit() is called.
    [[nodiscard]] Buffer& own() { return own_; }
    void commit()
    {
        const std::size_t added = own_.size() - own_size_;
        if (added == 0) return;
        const bool extends = !runs_.empty() && runs_.back().borrowed == nullptr;
        if (extends) {
            runs_.back().size += added;
        } else {
            runs_.push_back({nullptr, own_size_, added});
        }
        own_size_ = own_.size();
        size_ += added;
    }

    [[nodiscard]] Bytes bytes(const Run& run) const
    {
        if (run.borrowed != nullptr) return {run.borrowed, run.size};
        return Bytes{own_}.subspan(run.own_at, run.size);
    }
    [[nodiscard]] std::span<const Run> runs() const { return {runs_.data(), runs_.size()}; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }

    void clear()
    {
        runs_.clear();
        own_.clear();
        own_size_ = 0;
        size_ = 0;
    }

private:
    static constexpr std::size_t copied_max = 512;

    // True: the last run has taken them.
    bool extend(Bytes bytes)
    {
        Run& last = runs_.back();
        const bool is_own = last.borrowed == nullptr && own_.size() == own_size_;
        const bool is_copied = is_own && bytes.size() <= copied_max;
        if (is_copied) {
            append(own_, bytes);
            own_size_ = own_.size();
        } else if (last.borrowed == nullptr || last.borrowed + last.size != bytes.data()) {
            return false;
        }
        last.size += bytes.size();
        size_ += bytes.size();
        return true;
    }

    boost::container::small_vector<Run, 8> runs_;
    Buffer own_;
    std::size_t own_size_ = 0;
    std::size_t size_ = 0;
};

} // namespace pgweir::session
