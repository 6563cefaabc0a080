// FormatString: the text of a logging call, checked by the compiler, and the place of the call.
#pragma once

#include <conc/logging/field.hpp>
#include <conc/logging/plain_message.hpp>

#include <fmt/format.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace conc::logging {

// A place in the source. Refers to string literals, which live for ever, when the compiler made it.
struct CallSite {
  std::string_view pathname = {};  // as the compiler was given it
  std::string_view func = {};
  std::uint32_t line = 0;  // from 1; 0 means unknown
};

namespace detail {

// fmt's format string for the arguments of the message, that is, for all but the fields.
template <class... Args>
struct MessageFormat {
  static constexpr std::size_t count = arguments_before_fields<Args...>();
  static_assert(count + number_of_fields<Args...> == sizeof...(Args),
                "conc: fields stand behind the arguments of the message.");

  template <std::size_t... Is>
  static fmt::format_string<std::tuple_element_t<Is, std::tuple<Args...>>...> select(
      std::index_sequence<Is...>);
  using type = decltype(select(std::make_index_sequence<count>()));
};

}  // namespace detail

// A parameter type, made from a string literal at compile time:
//
//   logger.info("{} of {} done", done, total);    // "{:d}" for a string does not compile
//   logger.info("{}", text);                      // text made at run time is an argument
//
// The syntax is fmt's; what it can format, can be logged. Fields (see Field) stand behind the
// arguments and are not a part of the text. A function of your own that passes a
// message on takes a FormatString too, so that its caller's place is recorded and its caller's
// arguments are checked:
//
//   template <class... Args>
//   void note(FormatString<std::type_identity_t<Args>...> format, Args&&... args) {
//     logger.info(format, std::forward<Args>(args)...);
//   }
//
// Python: the msg parameter of Logger.info() and its kind; there the arguments are merged with %.
template <class... Args>
class FormatString {
 public:
  // Implicit from text known at compile time. The last three arguments are filled in by the
  // compiler with the place of the call.
  template <class Text>
  requires std::convertible_to<const Text&, std::string_view>
  consteval FormatString(const Text& text, const char* pathname = __builtin_FILE(),
                         std::uint32_t line = __builtin_LINE(),
                         const char* func = __builtin_FUNCTION())
      : FormatString(std::string_view(text), std::string_view(pathname), line,
                     std::string_view(func)) {
    static_cast<void>(typename detail::MessageFormat<Args...>::type(text));  // the check
  }

  [[nodiscard]] constexpr std::string_view text() const noexcept { return {text_, text_size_}; }

  // The same with what the compiler found out about it.
  [[nodiscard]] constexpr detail::MessageText message() const noexcept { return {text(), places_}; }

  [[nodiscard]] constexpr CallSite site() const noexcept {
    return {{pathname_, pathname_size_}, {func_, func_size_}, line_};
  }

 private:
  consteval FormatString(std::string_view text, std::string_view pathname, std::uint32_t line,
                         std::string_view func)
      : text_(text.data()),
        text_size_(text.size()),
        places_(detail::places_of(text)),
        pathname_(pathname.data()),
        pathname_size_(pathname.size()),
        func_(func.data()),
        func_size_(func.size()),
        line_(line) {}

  // Plain scalars, not a CallSite: compilers then build none of it for a call below the level.
  const char* text_;
  std::size_t text_size_;
  std::uint64_t places_;
  const char* pathname_;
  std::size_t pathname_size_;
  const char* func_;
  std::size_t func_size_;
  std::uint32_t line_;
};

}  // namespace conc::logging
