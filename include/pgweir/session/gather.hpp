// What goes out in one write: runs of bytes borrowed from a receive buffer, and a few of our own
// between them. Bodies of messages are not copied, but for a few bytes behind our own, which is
// cheaper than one part more for the kernel to gather: pipelines are made of those.
#pragma once

#include <pgweir/base/bytes.hpp>

#include <cstddef>
#include <span>
#include <vector>

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
        if (bytes.empty()) return;
        size_ += bytes.size();
        if (end_ == bytes.data()) {
            last().size += bytes.size();
            end_ += bytes.size();
        } else if (is_behind_own() && bytes.size() <= copied_max) {
            copy(bytes);
        } else {
            add({bytes.data(), 0, bytes.size()});
            end_ = bytes.data() + bytes.size();
        }
    }

    /// Messages written to the returned buffer become a run once commit() is called.
    [[nodiscard]] Buffer& own() { return own_; }
    void commit()
    {
        const std::size_t added = own_.size() - own_size_;
        if (added == 0) return;
        const bool extends = run_count_ > 0 && last().borrowed == nullptr;
        if (extends) {
            last().size += added;
        } else {
            add({nullptr, own_size_, added});
        }
        end_ = nullptr;
        own_size_ = own_.size();
        size_ += added;
    }

    [[nodiscard]] Bytes bytes(const Run& run) const
    {
        if (run.borrowed != nullptr) return {run.borrowed, run.size};
        return Bytes{own_}.subspan(run.own_at, run.size);
    }
    [[nodiscard]] std::span<const Run> runs() const { return {runs_.data(), run_count_}; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }

    void clear()
    {
        run_count_ = 0;
        end_ = nullptr;
        own_.clear();
        own_size_ = 0;
        size_ = 0;
    }

private:
    static constexpr std::size_t copied_max = 512;

    [[nodiscard]] Run& last() { return runs_.data()[run_count_ - 1]; }
    [[nodiscard]] bool is_behind_own()
    {
        return run_count_ > 0 && last().borrowed == nullptr && own_.size() == own_size_;
    }

    void add(Run run)
    {
        if (run_count_ == room_) make_room();
        runs_.data()[run_count_++] = run;
    }

    // What is rare, and would make the above save registers.
    [[gnu::noinline]] void copy(Bytes bytes)
    {
        append(own_, bytes);
        own_size_ = own_.size();
        last().size += bytes.size();
    }
    [[gnu::noinline]] void make_room()
    {
        constexpr std::size_t usual = 8;
        runs_.resize(2 * room_ + usual);
        room_ = runs_.size();
    }

    std::vector<Run> runs_; // so many of them are in use:
    std::size_t run_count_ = 0;
    std::size_t room_ = 0;
    const std::byte* end_ = nullptr; // of the last run, if it is borrowed
    Buffer own_;
    std::size_t own_size_ = 0;
    std::size_t size_ = 0;
};

} // namespace pgweir::session
