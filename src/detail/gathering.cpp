#include <conc/detail/gathering.hpp>

#include <memory>
#include <mutex>
#include <utility>

#include "host.hpp"
#include "spin.hpp"

namespace conc::detail {

// What the consumer and the completing threads share. Lives until the consumer and every node that
// is in a list, or on its way out of one, have let go of it.
struct Gathering::Shared {
  struct Node final : WaitNode {
    Node() noexcept : WaitNode(&Node::arrive) {}

    static void arrive(WaitNode& node) noexcept {
      auto& self = static_cast<Node&>(node);
      self.shared->arrive(self);
    }

    Shared* shared = nullptr;
  };

  explicit Shared(std::vector<Ref<FutureStateBase>> taken)
      : states(std::move(taken)), nodes(std::make_unique<Node[]>(states.size())) {
    arrived.reserve(states.size());
    for (std::size_t i = 0; i < states.size(); ++i) nodes[i].shared = this;
  }

  void drop() noexcept {
    if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  void arrive(Node& node) noexcept {
    WakeChain woken;
    {
      const std::lock_guard lock(mutex);
      arrived.push_back(static_cast<std::size_t>(&node - nodes.get()));
      arrivals.store(arrived.size(), std::memory_order_release);
      woken = waiters_.take_all();
    }
    woken.wake_all();
    drop();
  }

  std::vector<Ref<FutureStateBase>> states;
  const std::unique_ptr<Node[]> nodes;
  Atomic<std::size_t> references{1};
  Atomic<std::size_t> arrivals{0};  // how many are in `arrived`
  std::size_t handed_out = 0;       // the consumer's own
  std::size_t helped = 0;  // the same: up to which place it has tried to run the job itself

  Mutex mutex;
  std::vector<std::size_t>
      arrived;        // guarded by mutex: places in the order of completion; has room for all
  WaitList waiters_;  // guarded by mutex: the consumer
};

Gathering::Gathering(std::vector<Ref<FutureStateBase>> states)
    : shared_(new Shared(std::move(states))) {
  Shared& shared = *shared_;
  // First those that are done, in order; a completion that comes in between arrives after them.
  std::vector<std::size_t> pending;
  try {
    pending.reserve(shared.states.size());
  } catch (...) {
    delete shared_;
    throw;
  }
  for (std::size_t i = 0; i < shared.states.size(); ++i) {
    if (shared.states[i]->done()) {
      shared.arrived.push_back(i);
    } else {
      pending.push_back(i);
    }
  }
  shared.arrivals.store(shared.arrived.size(), std::memory_order_relaxed);
  for (const std::size_t i : pending) {
    shared.references.fetch_add(1, std::memory_order_relaxed);
    if (!shared.states[i]->listen(shared.nodes[i])) shared.arrive(shared.nodes[i]);
  }
}

Gathering::Gathering(Gathering&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}

Gathering& Gathering::operator=(Gathering&& other) noexcept {
  Gathering taken(std::move(other));
  std::swap(shared_, taken.shared_);
  return *this;
}

Gathering::~Gathering() {
  if (shared_ == nullptr) return;
  // What nobody else keeps ends here, not in a thread that has completed another one.
  const std::vector<Ref<FutureStateBase>> states = std::move(shared_->states);
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (states[i] && states[i]->unlisten(shared_->nodes[i])) shared_->drop();
  }
  shared_->drop();
}

std::size_t Gathering::left() const noexcept {
  return shared_ != nullptr ? shared_->states.size() - shared_->handed_out : 0;
}

std::optional<std::size_t> Gathering::next(Until until, Patience& patience) {
  Shared& shared = *shared_;
  const auto arrived = [&shared] {
    return shared.arrivals.load(std::memory_order_acquire) != shared.handed_out;
  };
  // Runs what is queued, unless somebody else would: another may be done long before.
  const auto help = [&](auto is_called_for) {
    if (this_host == nullptr || !until.is_timeless() || until.token() != nullptr) return;
    for (; shared.helped != shared.states.size(); ++shared.helped) {
      if (arrived() || !is_called_for()) break;
      if (const auto& state = shared.states[shared.helped]) state->help();
    }
  };
  if (!arrived()) {
    if (patience.none()) return std::nullopt;
    help([this] { return left() == 1; });
  }
  if (!arrived() && !spin(arrived)) {
    help([] { return !this_host->others_are_free(); });
    ThreadNode node({WaitKind::futures, this, nullptr});
    std::unique_lock lock(shared.mutex);
    if (!arrived()) {
      shared.waiters_.push_back(node);
      lock.unlock();
      const HostWaits host;
      if (node.sleep(patience) != Outcome::woken) {
        lock.lock();
        if (node.linked()) {
          shared.waiters_.remove(node);
          return std::nullopt;
        }
        lock.unlock();
        node.sleep_until_woken();
      }
    }
  }
  const std::lock_guard lock(shared.mutex);
  return shared.arrived[shared.handed_out++];
}

void Gathering::forget(ThreadNode& node) noexcept {
  const std::unique_lock lock(shared_->mutex, std::try_to_lock);
  if (lock && node.linked()) shared_->waiters_.remove(node);
}

Ref<FutureStateBase> Gathering::release(std::size_t place) noexcept {
  return std::exchange(shared_->states[place], {});
}

}  // namespace conc::detail
