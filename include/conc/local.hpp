// Local: a value of its own for each thread.
#pragma once

#include <conc/config.hpp>
#include <conc/detail/machine.hpp>
#include <conc/export.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace conc {

namespace detail {

// The values of one Local. The slot of a thread is found by the place that the Local has in every
// thread's table, and holds for the Local with this key only: places are used again, keys never.
class CONC_EXPORT LocalCore {
 public:
  // A thread's value, behind one pointer. Destroyed with no lock held.
  struct Value {
    virtual ~Value() = default;

    // Of the LocalCore's list.
    Value* next = nullptr;
    Value* previous = nullptr;
  };

  LocalCore();
  ~LocalCore();
  LocalCore(const LocalCore&) = delete;
  LocalCore& operator=(const LocalCore&) = delete;

  // The calling thread's value, or nullptr.
  [[nodiscard]] Value* find() const noexcept;

  // Makes `value` the calling thread's.
  // Throws std::bad_alloc; nothing is changed then.
  void put(std::unique_ptr<Value> value);

  // Destroys the calling thread's value, if it has one.
  void erase() noexcept;

  void forget_other_threads() noexcept;

  // How many threads have a value.
  [[nodiscard]] std::size_t size() const noexcept;

 private:
  friend class LocalTable;

  struct Slot {
    std::uint64_t key = 0;
    Value* value = nullptr;
  };
  // Of the calling thread; the memory belongs to its LocalTable.
  struct Slots {
    Slot* first = nullptr;
    std::size_t count = 0;
  };
  static constinit thread_local Slots this_thread_slots;

  void link(Value& value) noexcept;
  void unlink(Value& value) noexcept;

  // Of no other Local: the key ever, the place while this one lives.
  std::uint64_t key_ = 0;
  std::size_t place_ = 0;

  // Guarded by the one mutex of all Locals.
  Value* values_ = nullptr;  // of all threads
  std::size_t ending_ = 0;   // how many threads that end took one off the list and destroy it
  CondVar ended_;            // nobody waits for it but the destructor
};

}  // namespace detail

// A value for each thread that asks, belonging to this object: unlike a thread_local variable,
// which belongs to the program, there may be one in every object of a class.
//
//   class Parser {
//     conc::Local<std::string> buffer_;      // each thread that parses has a buffer of its own
//   };
//
// A thread's value is made when the thread first asks for it, and destroyed when the thread ends,
// after its thread_local objects, or with the Local, whichever comes first; the main thread's with
// the Local. T need not be copyable or movable. Neither copied nor moved.
//
// Any number of threads may use a Local at once: each sees its own value, so no locks are needed.
//
// Lifetime: no thread may use the Local, or a reference from it, when it is destroyed. Threads may
// be ending: the destructor waits for the values that they are destroying, but for one whose
// destructor it is called from.
//
// Python: threading.local. There attributes come and go by name; here there is one value of a type.
template <class T>
class Local {
 public:
  // Values are made by T().
  Local() requires(std::default_initializable<T>) : make_([] { return T(); }) {}

  // Values are made by `make`, called in the thread that asks, with no lock held. It may be called
  // by several threads at once.
  explicit Local(std::function<T()> make) : make_(std::move(make)) {}

  // The calling thread's value, made at its first call.
  // Throws std::bad_alloc, and what making the value throws; the next call tries again.
  // Cost: a call and a few loads, from then on. The first time three allocations at most.
  // Python: attribute access
  [[nodiscard]] T& get() {
    if (auto* const found = core_.find()) return static_cast<Holder*>(found)->value;
    return make();
  }
  [[nodiscard]] T& operator*() { return get(); }
  [[nodiscard]] T* operator->() { return &get(); }

  // Whether the calling thread has a value.
  [[nodiscard]] bool has_value() const noexcept { return core_.find() != nullptr; }

  // Destroys the calling thread's value, if it has one; get() will make a new one.
  // Python: del
  void reset() noexcept { core_.erase(); }

  // How many threads have a value, at some moment during the call.
  [[nodiscard]] std::size_t size() const noexcept { return core_.size(); }

 private:
  struct Holder final : detail::LocalCore::Value {
    explicit Holder(const std::function<T()>& make) : value(make()) {}
    T value;
  };

  CONC_COLD T& make() {
    auto holder = std::make_unique<Holder>(make_);
    // Making the value may have made one already, by asking for it.
    if (auto* const found = core_.find()) return static_cast<Holder*>(found)->value;
    T& value = holder->value;
    core_.put(std::move(holder));
    return value;
  }

  const std::function<T()> make_;
  detail::LocalCore core_;
};

}  // namespace conc
