#include <pgweir/net/class_notes.hpp>

namespace pgweir::net {

bool ClassNotes::contains(pool::ClassId id, std::string_view application) const
{
    const std::scoped_lock lock{mutex_};
    return known_.contains(Key{id, application});
}

void ClassNotes::add(Note note)
{
    const std::scoped_lock lock{mutex_};
    if (!known_.emplace(note.id, note.application).second) return; // by another worker
    notes_.push_back(std::move(note));
    if (notes_.size() <= size_max) return;
    known_.erase({notes_.front().id, notes_.front().application});
    notes_.pop_front();
}

std::vector<ClassNotes::Note> ClassNotes::read() const
{
    const std::scoped_lock lock{mutex_};
    return {notes_.begin(), notes_.end()};
}

} // namespace pgweir::net
