// SPDX-License-Identifier: MIT-0
//
// Counting the lines, words and bytes of a file, and how often each word occurs. Nothing in this
// file knows of threads: whoever counts on several has a FileCounter for each of them.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <conc/errors.hpp>

namespace tour {

// How often each word occurs.
//
// A hash table with open addressing, since most of the time of the whole program is spent in it:
// a lookup costs one or two cache misses, and an std::unordered_map takes twice as long.
class WordTable {
 public:
  struct Entry {
    std::string_view word;  // good until the table is changed
    std::uint64_t count;
  };

  void add(std::string_view word) { add(word, std::hash<std::string_view>()(word), 1); }

  void add(const WordTable& other) {
    for (const Slot& slot : other.slots_) {
      if (slot.count != 0) add(other.word(slot), slot.hash, slot.count);
    }
  }

  // How many different words there are.
  std::size_t size() const { return used_; }

  // The `n` most frequent words, the most frequent first and equally frequent ones by the alphabet,
  // so that the answer depends on nothing but what was counted.
  std::vector<Entry> most_frequent(std::size_t n) const {
    std::vector<Entry> entries;
    entries.reserve(used_);
    for (const Slot& slot : slots_) {
      if (slot.count != 0) entries.push_back({word(slot), slot.count});
    }
    n = std::min(n, entries.size());
    std::partial_sort(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(n),
                      entries.end(), [](const Entry& a, const Entry& b) {
                        return a.count != b.count ? a.count > b.count : a.word < b.word;
                      });
    entries.resize(n);
    return entries;
  }

 private:
  struct Slot {
    std::size_t hash = 0;
    std::uint64_t count = 0;  // 0: the slot is free
    std::size_t offset = 0;   // of the word in text_
    std::size_t length = 0;
  };

  std::string_view word(const Slot& slot) const {
    return std::string_view(text_).substr(slot.offset, slot.length);
  }

  void add(std::string_view text, std::size_t hash, std::uint64_t count) {
    Slot& slot = find(text, hash);
    if (slot.count == 0) {
      slot = {hash, 0, text_.size(), text.size()};
      text_.append(text);
      ++used_;
    }
    slot.count += count;
    if (used_ * 2 > slots_.size()) grow();
  }

  // The slot that holds the word, or the free one where it belongs.
  Slot& find(std::string_view text, std::size_t hash) {
    for (std::size_t at = hash;; ++at) {
      Slot& slot = slots_[at & (slots_.size() - 1)];
      if (slot.count == 0 || (slot.hash == hash && word(slot) == text)) return slot;
    }
  }

  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.count != 0) find(word(slot), slot.hash) = slot;
    }
  }

  std::vector<Slot> slots_ = std::vector<Slot>(1024);  // always a power of two, half of them free
  std::size_t used_ = 0;
  std::string text_;  // all words, one behind the other
};

// What there is to say about one file: the numbers that wc prints in the C locale.
//
// A word of wc is what stands between white space, if there is a printing ASCII character in it. So
// "--" is a word, but a lone byte 0, 1 or 255 is none. (The wc of some systems counts those too; on
// text they all agree.) A line is a newline character.
struct FileCounts {
  std::uint64_t lines = 0;
  std::uint64_t words = 0;
  std::uint64_t bytes = 0;
};

// Counts files, one after the other, and remembers their words.
//
// The words that are remembered are words for readers: runs of letters, digits and underscores that
// do not begin with a digit. So "Queue<int>&" has the words Queue and int. Every byte above 127
// counts as a letter, which keeps the words of a UTF-8 text whole. A run of more than 64 bytes is
// data, not a word, and is left out.
class FileCounter {
 public:
  // Throws std::system_error when the file cannot be opened or read, and conc::Stopped when a stop
  // is requested on the way; words that were seen until then are remembered.
  FileCounts count(const std::filesystem::path& path, const std::stop_token& stop) {
    const File file(path);
    FileCounts counts;
    bool in_word = false;
    pending_.clear();
    while (const std::size_t size = file.read(buffer_)) {
      if (stop.stop_requested()) throw conc::Stopped("A stop was requested.");
      const std::string_view text(buffer_.data(), size);
      counts.bytes += size;
      counts.lines += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
      counts.words += count_words(text, in_word);
      remember_words(text);
    }
    remember(pending_);
    return counts;
  }

  const WordTable& words() const { return words_; }
  WordTable take_words() { return std::exchange(words_, WordTable()); }

 private:
  class File {
   public:
    // Not blocking: what was a regular file when it was found might be a pipe by now.
    explicit File(const std::filesystem::path& path)
        : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
      if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "open");
    }
    ~File() { ::close(descriptor_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    // Returns how many bytes it read; 0 at the end of the file.
    std::size_t read(std::vector<char>& buffer) const {
      const ssize_t size = ::read(descriptor_, buffer.data(), buffer.size());
      if (size < 0) throw std::system_error(errno, std::generic_category(), "read");
      return static_cast<std::size_t>(size);
    }

   private:
    const int descriptor_;
  };

  // What a byte is, in the C locale whatever the program's own.
  enum Kind : unsigned char { space = 1, printing = 2, digit = 4, word_part = 8 };

  static constexpr std::array<unsigned char, 256> kinds = [] {
    std::array<unsigned char, 256> table{};
    for (std::size_t c = 0; c < table.size(); ++c) {
      const bool is_digit = c >= '0' && c <= '9';
      const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c > 127;
      unsigned kind = 0;
      if (c == ' ' || (c >= '\t' && c <= '\r')) kind |= space;
      if (c > ' ' && c < 127) kind |= printing;
      if (is_digit) kind |= digit;
      if (is_digit || is_letter || c == '_') kind |= word_part;
      table[c] = static_cast<unsigned char>(kind);
    }
    return table;
  }();

  static bool is(char c, Kind kind) { return (kinds[static_cast<unsigned char>(c)] & kind) != 0; }

  // How many words, as wc has them, begin in `text`. `in_word` is carried from one piece of a file
  // to the next. No branch depends on what is read: a wrong guess costs more than all of the rest.
  static std::uint64_t count_words(std::string_view text, bool& in_word) {
    std::uint64_t words = 0;
    bool inside = in_word;
    for (const char c : text) {
      const bool prints = is(c, printing);
      words += static_cast<unsigned>(prints & !inside);
      inside = prints | (inside & !is(c, space));
    }
    in_word = inside;
    return words;
  }

  // A word that is cut by the end of `text` is kept in pending_ until the next piece is there.
  void remember_words(std::string_view text) {
    constexpr auto in_word = [](char c) { return is(c, word_part); };
    auto begin = text.begin();
    if (!pending_.empty()) {
      begin = std::find_if_not(begin, text.end(), in_word);
      append_pending({text.begin(), begin});
      if (begin == text.end()) return;
      remember(pending_);
      pending_.clear();
    }
    for (;;) {
      begin = std::find_if(begin, text.end(), in_word);
      const auto end = std::find_if_not(begin, text.end(), in_word);
      if (end == text.end()) return append_pending({begin, end});
      remember({begin, end});
      begin = end;
    }
  }

  // One byte too many is enough to know that it is too long.
  void append_pending(std::string_view text) {
    pending_.append(text.substr(0, max_word + 1 - pending_.size()));
  }

  void remember(std::string_view word) {
    if (word.empty() || word.size() > max_word || is(word.front(), digit)) return;
    words_.add(word);
  }

  static constexpr std::size_t max_word = 64;

  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
  std::string pending_;  // at most max_word + 1 bytes
  WordTable words_;
};

}  // namespace tour
