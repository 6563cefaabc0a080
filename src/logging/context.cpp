#include <conc/detail/machine.hpp>
#include <conc/hooks.hpp>
#include <conc/logging/context.hpp>
#include <conc/logging/record.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "thread_context.hpp"

namespace conc::logging {
namespace detail {

// The fields of a context and of all around it. Never changed, so any number of threads may have
// it.
class ContextNode {
 public:
  explicit ContextNode(std::span<const Field> fields)
      : fields_(LogRecord{.context = fields}.own()) {}

  [[nodiscard]] std::span<const Field> fields() const noexcept { return fields_.record().context; }

  void add_ref() noexcept { refs_.fetch_add(1, std::memory_order_relaxed); }
  void drop_ref() noexcept {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  // How many Context objects and submitted tasks have it; the last one to go deletes it.
  conc::detail::Atomic<std::size_t> refs_{1};
  const OwnedRecord fields_;
};

namespace {

// Kept alive by the Context or the task that put it here. Nothing to destroy, so it serves to the
// very end of the thread.
constinit thread_local ContextNode* current = nullptr;

constexpr CarryHook carry{
    .capture = []() noexcept -> void* {
      if (current != nullptr) current->add_ref();
      return current;
    },
    .enter = [](void* carried) noexcept -> void* {
      return std::exchange(current, static_cast<ContextNode*>(carried));
    },
    .leave = [](void* before) noexcept { current = static_cast<ContextNode*>(before); },
    .drop = [](void* carried) noexcept { static_cast<ContextNode*>(carried)->drop_ref(); },
};

ContextNode* make_node(std::initializer_list<FieldItem> items) {
  std::vector<Field> fields;
  for (const Field& outer : thread_context()) {
    const bool hidden = std::any_of(items.begin(), items.end(), [&](const FieldItem& inner) {
      return inner.get().name == outer.name;
    });
    if (!hidden) fields.push_back(outer);
  }
  for (const FieldItem& item : items) fields.push_back(item.get());
  return new ContextNode(fields);
}

}  // namespace

std::span<const Field> thread_context() noexcept {
  return current != nullptr ? current->fields() : std::span<const Field>();
}

}  // namespace detail

Context::Context(std::initializer_list<FieldItem> fields) : before_(detail::current) {
  // If another hook is there, contexts stay in their threads.
  static_cast<void>(set_carry_hook(detail::carry));
  detail::current = detail::make_node(fields);
}

Context::~Context() {
  detail::current->drop_ref();
  detail::current = before_;
}

}  // namespace conc::logging
