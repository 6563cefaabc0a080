// Which queues of records have somebody who empties them.
#pragma once

namespace conc::logging::detail {

// Lives from the start of a listener to its end.
class Listening {
 public:
  // Throws std::bad_alloc.
  explicit Listening(const void* queue);
  ~Listening();

  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  // Whether somebody empties the queue.
  [[nodiscard]] static bool anywhere(const void* queue) noexcept;

  // Says that it is the calling thread that empties the queue; null takes that back.
  static void set_here(const void* queue) noexcept;
  [[nodiscard]] static bool here(const void* queue) noexcept;

 private:
  const void* const queue_;
};

}  // namespace conc::logging::detail
